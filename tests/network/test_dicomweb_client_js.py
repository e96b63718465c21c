"""dicomweb-client.js, as web viewers use it, reads from a running portal: searches, metadata, files, frames, pictures."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from tests.network import npm
from tests.network.asked import data_set_bytes
from tests.servers import LivePortal

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADDRESS = "https://registry.npmjs.org/dicomweb-client/-/dicomweb-client-0.11.3.tgz"
SHA256 = "cda90aae5843f974beaeaf9c191f238209e18b28a932b10af575df6d7320d891"
READ = """async ({url, token, uids, data_set}) => {
  const client = new DICOMwebClient.api.DICOMwebClient({url, headers: {Authorization: `Bearer ${token}`}});
  const digest = async (buffer) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', buffer))]
    .map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const [studyInstanceUID, seriesInstanceUID, sopInstanceUID] = uids;
  const of = {studyInstanceUID, seriesInstanceUID, sopInstanceUID};
  const file = await client.retrieveInstance(of);
  const [frame] = await client.retrieveInstanceFrames({...of, frameNumbers: [1],
    mediaTypes: [{mediaType: 'application/octet-stream', transferSyntaxUID: '1.2.840.10008.1.2.1'}]});
  const [picture] = [await client.retrieveInstanceRendered(of)].flat();
  return {
    studies: (await client.searchForStudies({queryParams: {StudyInstanceUID: studyInstanceUID}})).length,
    instances: (await client.searchForInstances(of)).length,
    metadata: (await client.retrieveSeriesMetadata(of)).map((model) => model['00080018'].Value[0]),
    file: await digest(file.slice(file.byteLength - data_set)),
    frame: await digest(frame),
    picture: [...new Uint8Array(picture.slice(0, 3))],
  };
}"""


def test_dicomweb_client_js_reads_a_study(
    live_portal: LivePortal, new_page: Callable[..., Page], data_dir: Path
) -> None:
    try:
        script = npm.unpacked(ADDRESS, SHA256) / "build" / "dicomweb-client.js"
    except OSError as error:
        pytest.skip(f"The package of dicomweb-client is not to be had: {error}")
    path = data_dir / "us" / "US-YBR_FULL_422-EVRLE.dcm"
    ds = pydicom.dcmread(path)
    token = live_portal.manage("make_token", "reader", "--scope", "all").stdout.strip().splitlines()[-1]
    store(live_portal, token, path.read_bytes())
    # The portal's own pages run no script of others; this one stands for a page of somebody else.
    page = new_page(bypass_csp=True)
    page.goto(f"{live_portal.url}/healthz")
    page.add_script_tag(content=script.read_text(encoding="utf-8"))
    data_set = data_set_bytes(path)
    asked = {
        "data_set": len(data_set),
        "url": f"{live_portal.url}/dicom-web",
        "token": token,
        "uids": [ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID],
    }
    page.wait_for_function(
        """({url, token, uids}) => fetch(`${url}/studies?StudyInstanceUID=${uids[0]}`,
          {headers: {Authorization: `Bearer ${token}`}}).then((answer) => answer.json()).then((found) => found.length)""",
        arg=asked,
        polling=500,
    )
    found: dict[str, Any] = page.evaluate(READ, asked)
    expected = hashlib.sha256(data_set).hexdigest(), hashlib.sha256(ds.PixelData).hexdigest()
    assert (found["file"], found["frame"]) == expected
    assert (found["studies"], found["instances"], found["metadata"]) == (1, 1, [ds.SOPInstanceUID])
    # JPEG is what a client gets that names nothing (PS3.18 table 8.7.4-1).
    assert found["picture"] == [0xFF, 0xD8, 0xFF]


def store(portal: LivePortal, token: str, data: bytes) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/dicom"}
    request = urllib.request.Request(f"{portal.url}/dicom-web/studies", data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
