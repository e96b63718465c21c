"""JSON for our own pages, one module a noun."""
