"""Jobs of the viewer: pictures, enhanced and projected series. Each takes a row and its progress."""
