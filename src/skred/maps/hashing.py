"""The hash that ties a map to the model that drew it."""

from __future__ import annotations

import hashlib
from pathlib import Path


def model_sha256(folder: Path) -> str:
    """SHA-256 over the names and contents of a model folder's files, in the order of their names.

    `history.csv` is left out: how training went does not change what the model says.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.name != "history.csv":
            digest.update(f"{file.name}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
