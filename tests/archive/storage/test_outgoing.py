"""What leaves the archive: the data set as it lies, and nothing of who brought it."""

from __future__ import annotations

import io

import pydicom
import pytest

from archive.dicom.part10 import read_file_meta
from archive.models import Instance
from archive.storage.outgoing import open_outgoing
from tests.journeys.sending import store
from tests.phantoms import ct_image, data_set_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]


def test_the_data_set_leaves_byte_for_byte_behind_a_zero_preamble() -> None:
    image = ct_image()
    store(image, address="10.1.2.3", issuer_of_patient_id="A SITE", calling_ae_title="SECRETSCANNER")
    outgoing = open_outgoing(Instance.objects.get())
    sent = b"".join(outgoing.blocks())
    assert len(sent) == outgoing.size
    assert sent[:132] == bytes(128) + b"DICM"
    meta = read_file_meta(io.BytesIO(sent))
    assert sent[meta.data_set_offset :] == data_set_bytes(image)
    assert meta.private == b""
    assert (meta.sop_instance_uid, meta.transfer_syntax_uid) == (image.SOPInstanceUID, "1.2.840.10008.1.2.1")
    for hidden in (b"10.1.2.3", b"A SITE", b"SECRETSCANNER"):
        assert hidden not in sent
    assert outgoing.file.closed
    assert pydicom.dcmread(io.BytesIO(sent)).PatientID == "PHANTOM-1"


def test_a_file_that_is_gone_is_an_os_error() -> None:
    from archive.storage import layout

    store(ct_image())
    instance = Instance.objects.get()
    layout.path_of(instance.stored_file.key).unlink()
    with pytest.raises(FileNotFoundError):
        open_outgoing(instance)
