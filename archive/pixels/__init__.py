"""Pixels without Django: where frames lie, how they are decoded, what drawing needs to know. Plain Python."""
