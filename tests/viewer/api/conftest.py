"""The studies of the DICOMweb tests, for what describes their addresses."""

from tests.archive.dicomweb.conftest import no_messages, series

__all__ = ["no_messages", "series"]
