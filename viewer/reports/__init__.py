"""Reports: written as a draft, signed once and for all, given out as text, PDF and DICOM."""
