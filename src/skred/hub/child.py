"""The server as a child process: one line of settings, then requests until standard input closes."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from skred.hub.items import PixelSource
from skred.hub.server import serve


def serve_until_stdin_closes(source: PixelSource, **options: Any) -> None:
    """Serve `source`; the first line of standard output is `skred.hub.server.HubSettings` as JSON.

    `options` are those of `skred.hub.server.serve`.

    It is printed once requests are answered. A parent keeps the other end of standard input open; when the parent
    dies, however it dies, the operating system closes it and the server ends: no orphan is left.
    """
    with serve(source, **options) as settings:
        sys.stdout.write(json.dumps(asdict(settings)) + "\n")
        sys.stdout.flush()
        while sys.stdin.buffer.read(65536):
            pass
