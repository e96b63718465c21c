"""``/rendered`` against Orthanc's rendered frames, in one run: native, JPEG-LS, JPEG 2000 and HTJ2K, cold and warm.

    python -m bench.render [--slices 24]

Cold: each slice is asked for once, in the default window, so each answer reads and decodes its frame; warm: one slice
again and again, each time with a window that nobody has asked for. Portal and Orthanc in turns, PNG from both, one
client. Orthanc without plugins decodes no JPEG 2000 and no HTJ2K: there the portal stands alone.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pydicom
from imagecodecs import jpeg2k_encode
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLSLossless,
    generate_uid,
)

from archive.pixels.encode import encode_frame
from bench.tiles import (
    CT,
    STORESCU,
    Server,
    orthanc,
    orthanc_id,
    report,
    sign_in,
    stack_is_there,
    web_processes,
    write_image,
)
from tests.servers import start_portal, wait_until

KINDS = {"native": "", "JPEG-LS": JPEGLSLossless, "JPEG 2000": JPEG2000Lossless, "HTJ2K": HTJ2KLossless}
UNKNOWN_TO_ORTHANC = ("JPEG 2000", "HTJ2K")


def write_slices(folder: Path, kind: str, slices: int) -> list[pydicom.FileDataset]:
    """A CT series of noisy slices, each with pixels of its own."""
    folder.mkdir()
    ds = write_image(folder / "1.dcm", CT, 512, 512)
    plain = np.frombuffer(ds.PixelData, "<i2").reshape(512, 512)
    found = []
    for number in range(1, slices + 1):
        pixels = np.roll(plain, 7 * number, axis=0)
        ds.PixelData = pixels.tobytes()
        if KINDS[kind]:
            frame = (
                jpeg2k_encode(pixels, level=0, reversible=True, codecformat="j2k")
                if kind == "JPEG 2000"
                else encode_frame(pixels, transfer_syntax_uid=KINDS[kind])
            )
            ds.PixelData, ds.file_meta.TransferSyntaxUID = encapsulate([frame]), KINDS[kind]
            ds["PixelData"].VR = "OB"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.InstanceNumber, ds.ImagePositionPatient = number, [0, 0, float(number)]
        ds.save_as(folder / f"{number}.dcm", enforce_file_format=True)
        found.append(pydicom.dcmread(folder / f"{number}.dcm", stop_before_pixels=True))
    return found


def rendered(ds: pydicom.FileDataset, window: str = "") -> str:
    at = f"/dicom-web/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"
    return f"{at}/rendered?accept=image/png{f'&window={window}' if window else ''}"


def run(folder: Path, slices: int) -> None:
    series = {kind: write_slices(folder / kind, kind, slices) for kind in KINDS}
    windows = itertools.count()
    with ExitStack() as stack:
        portal = start_portal(folder)
        stack.callback(portal.stop)
        headers = sign_in(portal)
        http_port, dicom_port, process = stack.enter_context(orthanc(folder))
        ours = Server(portal.http_port, headers, web_processes(portal))
        theirs = Server(http_port, {"Accept": "image/png"}, [process])
        for kind, some in series.items():
            command = [STORESCU, {"native": "-x=", "JPEG-LS": "-xt", "JPEG 2000": "-xv"}.get(kind, "-xs"), "-aec"]
            files = [str(folder / kind / f"{number}.dcm") for number in range(1, slices + 1)]
            if kind == "HTJ2K":
                # dcmtk does not know it; a folder on the same machine is another way in.
                portal.manage("import_folder", str(folder / kind))
            else:
                subprocess.run([*command, portal.ae_title, "127.0.0.1", str(portal.dicom_port), *files], check=True)
            if kind not in UNKNOWN_TO_ORTHANC:
                subprocess.run([*command, "ORTHANC", "127.0.0.1", str(dicom_port), *files], check=True)
            stack_id = str(some[0].SeriesInstanceUID)
            wait_until(
                lambda stack_id=stack_id: stack_is_there(portal, stack_id, headers, slices),  # type: ignore[misc]
                patience_s=120,
                what=f"{kind} is not there",
            )
        for kind, some in series.items():
            report_kind(kind, some, ours, theirs if kind not in UNKNOWN_TO_ORTHANC else None, windows)


def report_kind(
    kind: str, some: list[pydicom.FileDataset], ours: Server, theirs: Server | None, windows: itertools.count[int]
) -> None:
    # The slice in the middle was drawn when it arrived, for the thumbnail.
    asked = [ds for number, ds in enumerate(some) if abs(number - len(some) // 2) > 1]
    cold = ours.measured([rendered(ds) for ds in asked])
    warm = ours.measured([rendered(asked[0], f"{40 + next(windows) / 7:.3f},400,linear") for _ in range(100)])
    report(f"{kind}: /rendered cold, ms CPU / ms on the clock", f"{cold[1]:.1f} / {1000 / cold[0]:.1f}")
    report(f"{kind}: /rendered warm, a new window", f"{warm[1]:.1f} / {1000 / warm[0]:.1f}")
    if theirs is None:
        return
    names = [orthanc_id(theirs.port, str(ds.SOPInstanceUID)) for ds in asked]
    path = "/instances/{}/rendered?window-center={}&window-width=400"
    other_cold = theirs.measured([path.format(name, 40) for name in names])
    other_warm = theirs.measured([path.format(names[0], 40 + next(windows)) for _ in range(100)])
    for label, mine, other in (("cold", cold, other_cold), ("warm", warm, other_warm)):
        report(
            f"{kind}: Orthanc's rendered {label}",
            f"{other[1]:.1f} / {1000 / other[0]:.1f} = {other[1] / mine[1]:.1f} x the CPU, "
            f"{mine[0] / other[0]:.1f} x slower",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        run(Path(name), options.slices)


if __name__ == "__main__":
    main()
