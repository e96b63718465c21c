"""The technologist's board: what is expected today against what has come."""
