"""The study, and what writes and signs its report, as the tests of reports have them."""

from tests.viewer.reports.conftest import no_worker, save, sign_as, study

__all__ = ["no_worker", "save", "sign_as", "study"]
