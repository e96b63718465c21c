"""What readers draw on images: shapes, what they measure, and how they are kept."""
