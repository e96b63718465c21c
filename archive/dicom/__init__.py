"""DICOM without Django: headers, Part 10 files, UIDs, names, dates, dictionaries. Plain Python."""

from pydicom import config as _config

# Values are checked where they are read (``values.py``). pydicom's own warnings would repeat the
# offending value, a patient's name among them, in a log.
_config.settings.reading_validation_mode = _config.IGNORE
