"""DICOM objects about images: measurements, key images and views that the portal writes, and those of others that it shows."""
