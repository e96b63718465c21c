"""The DICOM network door: associations in and out; it translates, then calls a step of the archive."""

import logging

from pynetdicom import _config

# Handlers that log every PDU and data set cost more than the store itself, and would log patients' names.
_config.LOG_HANDLER_LEVEL = "none"
# A file to be sent is read and sent piece by piece instead of being decoded.
_config.STORE_SEND_CHUNKED_DATASET = True

for _name in ("pynetdicom.utils", "pynetdicom.presentation"):
    # They log a traceback for every odd byte of an association request: whoever sends noise would fill the log.
    logging.getLogger(_name).setLevel(logging.CRITICAL)
