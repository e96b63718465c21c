"""Everything that is looked at is a stack of frames."""
