"""Studies to show the portal with: phantoms that look like something, written as real DICOM objects.

Plain Python over numpy, scipy and pydicom. ``catalogue`` lists the studies; ``manage.py make_demo``
sends them through the intake. Nothing here is a patient, and nothing is for clinical use.
"""
