"""Every real file is received, indexed and drawn, or refused in the words that its row below gives."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_charset_files
from pydicom.data.data_manager import DATA_ROOT

from archive.dicom.part10 import read_file_meta
from archive.errors import ArchiveError, CannotUnderstand, DataSetMismatch
from archive.indexing.writer import BatchResult, index_waiting_files
from archive.models import Instance, Patient, QuarantinedFile, Series, Study
from tests.journeys.sending import refusal_of, send_as_modality
from viewer.errors import NothingToDraw
from viewer.rendering.parameters import parse_parameters
from viewer.rendering.tiles import levels
from viewer.stacks.lookup import SplitSeries, split_series_of
from viewer.stacks.manifest import split_study, stack_manifest
from viewer.stacks.splitting import Stack
from viewer.tiles.drawing import TileAddress, draw_thumbnail, draw_tile, plan_tile
from viewer.tiles.frames import drawable

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]

# --- What is refused, and why -----------------------------------------------------------------------------------------

NO_DICOM = (CannotUnderstand, "does not begin like a DICOM file")
NO_NAME = (CannotUnderstand, "names no SOP Class or SOP Instance UID")
NO_SOP_CLASS = (CannotUnderstand, "The SOP Class UID of the data set is missing")
NO_STUDY = (CannotUnderstand, "The Study Instance UID of the data set is missing")
CUT_SHORT = (CannotUnderstand, "it is cut short")

REFUSED_OF_DATA = {
    "README.md": NO_DICOM,
    "luts_overlays/leadtools-flowers-8-mono2-rle.dcm": NO_NAME,
    "odd/GH340.dcm": NO_NAME,
    "odd/dwv-test_no-number-rows.dcm": NO_NAME,
    "odd/truncated_3gb_bulk.dcm": CUT_SHORT,
    "syntaxes/HTJ2KLossless_08_RGB.dcm": NO_STUDY,
    "syntaxes/HTJ2K_08_RGB.dcm": NO_STUDY,
}
REFUSED_OF_WHEEL = {
    "charset_files/FileInfo.txt": NO_DICOM,
    "charset_files/chrSQEncoding.dcm": NO_SOP_CLASS,
    "charset_files/chrSQEncoding1.dcm": NO_SOP_CLASS,
    **{
        f"palettes/{name}.dcm": NO_STUDY
        for name in ["fall", "hotiron", "hotmetalblue", "pet", "pet20step", "spring", "summer", "winter"]
    },
    **{
        f"test_files/{name}.dcm": NO_STUDY
        for name in [
            "JPEGLSNearLossless_08",
            "JPEGLSNearLossless_16",
            "SC_rgb_jls_lossy_line",
            "SC_rgb_jls_lossy_sample",
        ]
    },
    **{f"test_files/{name}.dcm": NO_SOP_CLASS for name in ["UN_sequence", "no_meta_group_length", "priv_SQ"]},
    **{f"test_files/{name}.dcm": NO_NAME for name in ["empty_charset_LEI", "meta_missing_tsyntax", "nested_priv_SQ"]},
    "test_files/MR_truncated.dcm": CUT_SHORT,
    "test_files/rtplan_truncated.dcm": CUT_SHORT,
    "test_files/no_meta.dcm": NO_DICOM,
    **{
        f"test_files/{name}": NO_DICOM
        for name in [
            "README.txt",
            "crayons.icc",
            "rtplan.dump",
            "rtstruct.dump",
            "test1.json",
            "test_PN.json",
            "zipMR.gz",
        ]
    },
    "test_files/dicomdirtests/README.txt": NO_DICOM,
    "test_files/dicomdirtests/TINY_ALPHA/README": NO_DICOM,
    **{
        f"test_files/dicomdirtests/{name}": NO_SOP_CLASS
        for name in (
            "DICOMDIR",
            "DICOMDIR-bigEnd",
            "DICOMDIR-empty.dcm",
            "DICOMDIR-implicit",
            "DICOMDIR-nooffset",
            "DICOMDIR-nopatient",
            "DICOMDIR-reordered",
            "TINY_ALPHA/DICOMDIR",
        )
    },
}
DUPLICATES_OF_DATA = [
    ["enhanced/ct0012_70_fragmented.dcm", "enhanced/ct0012_rle_bot.dcm"],
    ["syntaxes/MR1_JPH.dcm", "syntaxes/MR1_UNC.dcm"],
    [
        f"syntaxes/ctimage/{name}.dcm"
        for name in (
            "BigEndianExplicit_1.2.840.10008.1.2.2",
            "DeflatedExplicitVRLittleEndian_1.2.840.10008.1.2.1.99",
            "JPEG2000LosslessOnly_1.2.840.10008.1.2.4.90",
            "JPEGLSLossless_1.2.840.10008.1.2.4.80",
            "JPEGProcess14SV1_1.2.840.10008.1.2.4.70",
            "JPEGProcess14_1.2.840.10008.1.2.4.57",
            "LittleEndianExplicit_1.2.840.10008.1.2.1",
            "LittleEndianImplicit_1.2.840.10008.1.2",
            "RLELossless_1.2.840.10008.1.2.5",
        )
    ],
]
"""The same image in several lossless encodings: one is stored, the others are duplicates."""
HELD_OF_WHEEL = {
    "charset_files/chrFrenMulti.dcm",  # chrFren.dcm with multi-valued names
    "charset_files/chrJapMultiExplicitIR6.dcm",  # chrJapMulti.dcm with its first character set spelt out
    "test_files/JPEG2000.dcm",  # JPEG2000-embedded-sequence-delimiter.dcm has other bytes in its stream
    "test_files/SC_rgb_jpeg_dcmd.dcm",  # SC_rgb_jpeg.dcm without its lossy compression history
    "test_files/SC_ybr_full_422_uncompressed.dcm",  # SC_rgb_dcmtk_+eb+cy+n2.dcm decoded, with loss
    "test_files/SC_rgb_rle_16bit.dcm",  # one UID, other depths and other numbers of frames
    "test_files/SC_rgb_rle_16bit_2frame.dcm",
    "test_files/SC_rgb_rle_2frame.dcm",
    "test_files/SC_rgb_rle_32bit.dcm",
    "test_files/SC_rgb_rle_32bit_2frame.dcm",
    "test_files/reportsi_with_empty_number_tags.dcm",  # reportsi.dcm with seven more, empty elements
    "test_files/rtdose.dcm",  # badVR.dcm came first under their UID
    "test_files/rtdose_1frame.dcm",
    "test_files/rtdose_expb.dcm",
    "test_files/rtdose_expb_1frame.dcm",
    "test_files/rtdose_rle.dcm",
    "test_files/rtdose_rle_1frame.dcm",
}
"""Other content under a UID that came before."""

# --- What cannot be drawn, and why ------------------------------------------------------------------------------------

NO_PIXELS = "holds no pixel data"
UNDRAWABLE = {
    "charset_files/chrKoreanMulti.dcm": NO_PIXELS,
    "charset_files/chrJapMulti.dcm": NO_PIXELS,
    "enhanced/mr_spectroscopy_BRSV001.dcm": NO_PIXELS,
    "odd/20-wrong-transfer-syntax.dcm": "says JPEG-LS Lossless, but its pixel data is not encapsulated",
    "odd/2017-06-27-XSSInjection.dcm": NO_PIXELS,
    "odd/2026-05-26-oob-monochrome-65535.dcm": "65535 x 65535 pixels takes 8589672450 bytes; at most 536870912",
    "presentation/CR000000.dcm": NO_PIXELS,
    "test_files/JPEG2000-embedded-sequence-delimiter.dcm": "The JPEG 2000 stream has 14540801 tiles",
    "video/derived_h264_us.dcm": "Video (MPEG-4 AVC/H.264 High Profile): it is played on a page of its own",
}
WITHOUT_PICTURE = {
    "mr_series/mister_mr/sr_arrow_ellipse/0001.dcm",
    "mr_series/mister_mr/sr_length_bidirectional/0001.dcm",
    "petct/acrin_042/rwv_5.dcm",
    "petct/sts_001/rtstruct_ct.dcm",
    "petct/sts_001/rtstruct_pet.dcm",
    "presentation/PR000000.dcm",
    "presentation/derived_gsps_mister_cor7.dcm",
    "presentation/derived_kos_mister.dcm",
    "presentation/gsps_issue168.dcm",
    "sr/dcmqi_petseg/rwvm.dcm",
    "sr/dcmqi_petseg/sr.dcm",
    *(
        f"sr/dwv_tid1500/sr-{name}.dcm"
        for name in ["arrow", "circle", "ellipse", "protractor", "rectangle", "roi", "ruler"]
    ),
    "sr/reportki.dcm",
    "sr/sample-sr.dcm",
    "waveform_pdf/sample-pdf.dcm",
    "waveform_pdf/wave_deflated.dcm",
}
WITHOUT_PICTURE_OF_WHEEL = {
    "test_files/ExplVR_BigEndNoMeta.dcm",
    "test_files/reportsi.dcm",
    "test_files/rtplan.dcm",
    "test_files/rtstruct.dcm",
    "test_files/test-SR.dcm",
    "test_files/waveform_ecg.dcm",
    *(
        f"test_files/dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM0000{number}"
        for number in [f"{tens}{ones}" for tens in "01" for ones in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"][:50]
    ),
}


@dataclass
class Sent:
    """What became of the files of one folder, by their path in it."""

    refused: dict[str, ArchiveError] = field(default_factory=dict)
    files_by_uid: dict[str, list[str]] = field(default_factory=dict)
    names_by_digest: dict[str, str] = field(default_factory=dict)
    result: BatchResult = field(default_factory=BatchResult)

    def name(self, sop_instance_uid: str) -> str:
        return self.files_by_uid[sop_instance_uid][0]


def send_folder(root: Path) -> Sent:
    """Take every file as it lies; of those that group 0002 names otherwise, the data set as a modality sends it."""
    sent = Sent()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if (
            not path.is_file()
            or name.endswith((".py", ".pyc"))
            or name in {"urls.json", "hashes.json", "palettes/README.md"}
        ):
            continue
        refusal = refusal_of(path)
        if refusal is not None:
            sent.refused[name] = refusal
        if refusal is None or isinstance(refusal, DataSetMismatch):
            uid = str(pydicom.dcmread(path, stop_before_pixels=True, force=True).SOPInstanceUID)
            sent.files_by_uid.setdefault(uid, []).append(name)
            sent.names_by_digest.setdefault(digest_of(path), name)
        if isinstance(refusal, DataSetMismatch):
            send_as_modality(path)
    sent.result = index_waiting_files()
    return sent


def digest_of(path: Path) -> str:
    """SHA-256 of a file's data set."""
    with path.open("rb") as file:
        file.seek(read_file_meta(file).data_set_offset)
        return sha256(file.read()).hexdigest()


def assert_refused(sent: Sent, expected: dict[str, tuple[type[ArchiveError], str]]) -> None:
    assert sorted(sent.refused) == sorted(expected)
    for name, (kind, words) in expected.items():
        assert type(sent.refused[name]) is kind, name
        assert words in str(sent.refused[name]), name
        assert "/" not in str(sent.refused[name]), name


def draw_everything(sent: Sent) -> tuple[dict[str, str], set[str]]:
    """Draw what can be drawn; returns what cannot with its reason, and what has no picture."""
    undrawn: dict[str, str] = {}
    without: set[str] = set()
    for study in Study.objects.all():
        for split in split_study(study):
            without |= {sent.name(one.sop_instance_uid) for one in split.without_picture}
            for stack in split.stacks:
                undrawn |= draw_stack(stack, split, sent)
    return undrawn, without


def draw_stack(stack: Stack, split: SplitSeries, sent: Sent) -> dict[str, str]:
    """Thumbnail, manifest, and the coarsest tile of the first and last frame of each instance."""
    undrawn: dict[str, str] = {}
    middle = sent.name(stack.middle.instance.sop_instance_uid)
    try:
        with Image.open(io.BytesIO(draw_thumbnail(stack, split, 128))) as picture:
            assert max(picture.size) <= 128
        assert stack_manifest(stack, split, tile_key="", with_values=True)["frames"]
    except NothingToDraw as error:
        undrawn[middle] = error.reason
    for number, frame in enumerate(stack.frames, start=1):
        if frame.frame_number not in (1, frame.instance.frames):
            continue
        try:
            tile = draw_tile(plan_tile(stack, split, TileAddress(number, 0, 0, 0), parse_parameters({})))
        except NothingToDraw as error:
            undrawn[sent.name(frame.instance.sop_instance_uid)] = error.reason
            continue
        description = drawable(frame.instance).description
        with Image.open(io.BytesIO(tile)) as picture:
            picture.load()
            assert picture.size == levels(description.rows, description.columns)[0][1:3][::-1] or picture.size[0] <= 512
    return undrawn


def assert_undrawn(undrawn: dict[str, str], expected: dict[str, str]) -> None:
    assert sorted(undrawn) == sorted(expected)
    for name, words in expected.items():
        assert words in undrawn[name], name


def test_every_file_of_the_data_folder_is_stored_or_refused_as_its_row_says(data_dir: Path) -> None:
    sent = send_folder(data_dir)
    assert_refused(sent, REFUSED_OF_DATA)
    assert [names for names in sent.files_by_uid.values() if len(names) > 1] == DUPLICATES_OF_DATA
    kept = [name for name, error in REFUSED_OF_DATA.items() if error not in (NO_DICOM, NO_NAME)]
    assert QuarantinedFile.objects.count() == sent.result.held_back == len(kept)
    assert set(QuarantinedFile.objects.values_list("reason", flat=True)) == {"unreadable"}
    assert sent.result.duplicates == sum(len(names) - 1 for names in DUPLICATES_OF_DATA)
    assert Instance.objects.count() == sent.result.added == len(sent.files_by_uid)
    undrawn, without = draw_everything(sent)
    assert without == WITHOUT_PICTURE
    assert_undrawn(undrawn, {name: why for name, why in UNDRAWABLE.items() if (data_dir / name).exists()})


def test_every_file_of_pydicom_s_wheel_is_stored_or_refused_in_words() -> None:
    root = Path(DATA_ROOT)
    sent = send_folder(root)
    assert_refused(sent, REFUSED_OF_WHEEL)
    held = QuarantinedFile.objects.filter(reason="other-content").values_list("digest", flat=True)
    assert sorted(sent.names_by_digest[digest] for digest in held) == sorted(HELD_OF_WHEEL)
    assert Instance.objects.count() == len(sent.files_by_uid)
    undrawn, without = draw_everything(sent)
    assert without == WITHOUT_PICTURE_OF_WHEEL
    assert_undrawn(undrawn, {name: why for name, why in UNDRAWABLE.items() if (root / name).exists()})


# --- Stacks -----------------------------------------------------------------------------------------------------------


def stacks_of(folder: Path) -> list[Stack]:
    """Send a folder that is one series, as its modality does, and split it."""
    for path in sorted(folder.iterdir()):
        send_as_modality(path)
    index_waiting_files()
    assert QuarantinedFile.objects.count() == 0
    series = Series.objects.select_related("study").get()
    return list(split_series_of(series, revision=series.study.revision).stacks)


def assert_along_the_normal(stack: Stack, folder: Path) -> None:
    """Frames follow the positions that the headers give, worked out here; equal ones their Instance Number."""
    headers = {
        str(ds.SOPInstanceUID): ds for ds in (pydicom.dcmread(p, stop_before_pixels=True) for p in folder.iterdir())
    }
    shown = [headers[frame.instance.sop_instance_uid] for frame in stack.frames]
    orientations = np.array([ds.ImageOrientationPatient for ds in shown], float)
    assert np.ptp(orientations, axis=0).max() < 1e-3
    normal = np.cross(orientations[0, :3], orientations[0, 3:])
    along = np.array([ds.ImagePositionPatient for ds in shown], float) @ normal
    steps = np.diff(along)
    assert (steps > -1e-3).all() or (steps < 1e-3).all()
    numbers = [int(ds.InstanceNumber) for ds in shown]
    assert all(numbers[i] <= numbers[i + 1] for i in np.flatnonzero(np.abs(steps) < 1e-3))


def test_a_localizer_is_three_stacks_of_9_9_and_8(data_dir: Path) -> None:
    folder = data_dir / "mr_series/mister_mr/loc"
    stacks = stacks_of(folder)
    assert [(stack.label, len(stack.frames)) for stack in stacks] == [("axial", 9), ("sagittal", 9), ("coronal", 8)]
    for stack in stacks:
        assert_along_the_normal(stack, folder)
        assert stack.notes[0].startswith("This series was split into 3 stacks")
    assert stacks[2].notes[1].startswith("Distances between images vary from 7.5 to 15.0 mm")


def test_two_orientations_in_one_series_are_two_stacks(data_dir: Path) -> None:
    folder = data_dir / "mr_series/mixed_orientation"
    stacks = stacks_of(folder)
    assert [len(stack.frames) for stack in stacks] == [2, 2]
    assert {stack.label for stack in stacks} == {"sagittal, echo 90", "oblique axial, echo 120"}
    for stack in stacks:
        assert_along_the_normal(stack, folder)
        assert stack.notes == (
            "This series was split into 2 stacks: its images differ in orientation, size, spacing or kind.",
        )


def test_images_at_one_position_are_told_and_gaps_too(data_dir: Path) -> None:
    folder = data_dir / "odd/duplicate_positions"
    (stack,) = stacks_of(folder)
    assert_along_the_normal(stack, folder)
    numbers = [frame.instance.instance_number for frame in stack.frames]
    assert numbers == [2, 21, 21, 34, 80, 83, 126, 131, 138, 145, 190]
    assert stack.notes[0].startswith("1 images lie at the position of another")
    assert stack.notes[1].startswith("Distances between images vary from 7.5 to 115.0 mm")


def test_a_tilted_stack_says_so(data_dir: Path) -> None:
    folder = data_dir / "ct_series/gantry_tilt_4"
    (stack,) = stacks_of(folder)
    assert len(stack.frames) == 4
    assert_along_the_normal(stack, folder)
    assert stack.notes == ("The stack is tilted by 14.0 degrees (gantry tilt): reformats would be sheared.",)


@pytest.mark.parametrize(("folder", "frames"), [("ct_series/crlm_1004", 22), ("petct/acrin_042/pet_ac", 32)])
def test_an_even_stack_has_nothing_to_say(data_dir: Path, folder: str, frames: int) -> None:
    (stack,) = stacks_of(data_dir / folder)
    assert (len(stack.frames), stack.notes, stack.label) == (frames, (), "")
    assert_along_the_normal(stack, data_dir / folder)


# --- Names ------------------------------------------------------------------------------------------------------------

NAMES = {
    "SCSARAB": "قباني^لنزار",
    "SCSFREN": "Buc^Jérôme",
    "SCSGERM": "Äneas^Rüdiger",
    "SCSGREEK": "Διονυσιος",
    "H31EXAMPLE": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "H32EXAMPLE": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "SCSHBRW": "שרון^דבורה",
    "I2EXAMPLE": "Hong^Gildong=洪^吉洞=홍^길동",
    "2008-4": "やまだ^たろう",
    "2008-3": "김희중",
    "SCSRUSS": "Люкceмбypг",
    "X1EXAMPLE": "Wang^XiaoDong=王^小東",
    "X2EXAMPLE": "Wang^XiaoDong=王^小东",
}
"""By Patient ID; PS3.5 annexes H to J and the list beside the files."""


def test_names_in_every_character_set_are_kept_in_all_their_groups() -> None:
    for path in sorted(map(Path, get_charset_files("*.dcm"))):
        if path.stem.startswith(("chrSQEncoding", "chrFrenMulti", "chrJapMultiExplicitIR6")):
            continue
        send_as_modality(path)
    index_waiting_files()
    found = {patient.patient_id: patient.patient_name.rstrip("=") for patient in Patient.objects.all()}
    assert found == NAMES
    for study in Study.objects.select_related("patient"):
        assert study.patient_name == study.patient.patient_name
