"""Acknowledged files become rows: safe to run twice, cut at any moment, and by several at once."""
