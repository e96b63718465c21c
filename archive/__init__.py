"""What exists, and who may see it: received, stored, indexed, queried."""
