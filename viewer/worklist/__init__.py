"""The reading worklist: which studies wait, in which order, and who has them."""
