"""Doors to the rendering engine."""
