"""JSON files: the small records beside our rasters and models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skred.core.errors import InputError
from skred.core.raster import atomic


def read_json(file: Path, otherwise: str) -> Any:
    """The content of a JSON file.

    Raises
    ------
    InputError
        The file is missing or not JSON; `otherwise` says what that means and how to mend it.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: missing or not readable: {otherwise}") from error


def write_json(file: Path, data: Any) -> None:
    """Write `data`, keys in their order, NaN refused (ValueError)."""
    with atomic(file) as temporary:
        temporary.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", encoding="utf-8")
