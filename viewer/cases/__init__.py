"""Lists of studies for conferences and teaching: who keeps and sees them, and how they are shown without names."""
