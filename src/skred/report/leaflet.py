"""Leaflet, read out of its installed wheel and checked by hash: no third-party code is kept in this repository."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path

from skred.core.errors import SkredError

VERSION = "1.9.4"
_PACKAGE = "js_lib_leaflet"
# Of the files of Leaflet 1.9.4 as its makers published them.
_SHA256 = {
    "leaflet.js": "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
    "leaflet.css": "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
}


def leaflet_js() -> str:
    """The script, without the line that names its source map: nothing may be fetched."""
    return re.sub(r"\n?//# sourceMappingURL=\S*\s*$", "\n", _read("leaflet.js"))


def leaflet_css() -> str:
    """The styles, without those that name an image."""
    return re.sub(r"[^{}]+\{[^{}]*url\([^{}]*\}", "", _read("leaflet.css"))


def _read(name: str) -> str:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise SkredError(f"Leaflet is not installed (package {_PACKAGE}); run make setup")
    file = Path(spec.origin).parent / "static" / _PACKAGE / name
    content = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(content).hexdigest() != _SHA256[name]:
        raise SkredError(f"{file}: is not {name} of Leaflet {VERSION}; run make setup, it installs the locked version")
    # A browser reads every line end of a page as one character, and the page's policy hashes what it reads.
    return content.decode("utf-8").replace("\r\n", "\n")
