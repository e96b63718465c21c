"""Measurements: each script prints its figure and the ratio to a peer, or to the bare library, in the same run."""
