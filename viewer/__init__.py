"""What a person sees and does: rendered, viewed, reported."""
