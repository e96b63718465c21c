"""Stock OHIF: the package as its makers publish it, served on loopback with a configuration of ours."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.network import npm

VERSION = "3.12.10"
ADDRESS = f"https://registry.npmjs.org/@ohif/app/-/app-{VERSION}.tgz"
SHA256 = "fbabd410be33e5b9898931b725229b9da9553aac339914b5c29796d3aa5d4b2d"


def unpacked() -> Path:
    """The folder of built files, downloaded once; OSError where that cannot be."""
    return npm.unpacked(ADDRESS, SHA256) / "dist"


def configuration(root: str) -> str:
    """OHIF's settings for a portal at ``root``."""
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "dicomweb",
        "configuration": {
            "friendlyName": "portal",
            "name": "portal",
            "wadoUriRoot": f"{root}/wado",
            "qidoRoot": f"{root}/dicom-web",
            "wadoRoot": f"{root}/dicom-web",
            "qidoSupportsIncludeField": True,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "supportsFuzzyMatching": True,
            "supportsWildcard": True,
            "omitQuotationForMultipartRequest": True,
            "bulkDataURI": {"enabled": True},
        },
    }
    values = {
        "routerBasename": "/",
        "extensions": [],
        "modes": [],
        "showStudyList": True,
        "investigationalUseDialog": {"option": "never"},
        "defaultDataSourceName": "dicomweb",
        "dataSources": [source],
    }
    return f"window.config = {json.dumps(values)};"


@contextmanager
def served(port: int, root: str) -> Iterator[str]:
    """Serve OHIF for as long as the context lasts; yields its address."""
    folder, settings = unpacked(), configuration(root).encode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/app-config.js":
                self.send_response(200)
                self.send_header("Content-Type", "text/javascript")
                self.end_headers()
                self.wfile.write(settings)
                return
            if not (folder / path.lstrip("/")).is_file():
                self.path = "/index.html"
            super().do_GET()

        def end_headers(self) -> None:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            super().end_headers()

        def log_message(self, *_arguments: Any, **_named: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), lambda *given: Handler(*given, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
