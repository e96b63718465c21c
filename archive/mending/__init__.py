"""Mistakes of identity, mended: decisions in rows, original bytes kept, and what goes out coerced."""
