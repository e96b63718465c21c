"""Names of SOP classes."""

from archive.dicom.sop_classes import is_private, name_of


def test_standard_classes_have_names_and_private_ones_their_uid() -> None:
    assert name_of("1.2.840.10008.5.1.4.1.1.2") == "CT Image"
    assert name_of("1.2.276.0.19.55.1.5.1.1.1") == "1.2.276.0.19.55.1.5.1.1.1"
    assert is_private("1.2.276.0.19.55.1.5.1.1.1")
    assert not is_private("1.2.840.10008.5.1.4.1.1.2")
