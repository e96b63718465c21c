"""Image processing in plain Python: values in, values out."""
