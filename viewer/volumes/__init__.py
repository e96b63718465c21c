"""Volumes in plain Python: frames with positions in, planes and projections out."""
