"""Fetched pixels are kept: `<store>/<key>.tif` with `<key>.json` beside it, each written whole or not at all.

Tiles of an image that is asked for in several requests are kept too, until the image is there: each has been paid for.

The key is the SHA-256 of everything that decides the pixels, so an entry never goes out of date. The record is written
last and holds the hash of the image: an entry without it, or whose image is not the one that was written, does not
count and is fetched again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from skred.core.errors import SkredError
from skred.core.grid import Window
from skred.core.params import Section
from skred.core.raster import Raster, atomic, write_cog

# Part of every key: raise it when files in the store change form.
FORMAT = 1

_PART = re.compile(r"^\.[0-9a-f]{64}\..*\.(\d+)\.part$")
_TILE = re.compile(r"^([0-9a-f]{64})\..*\.tile$")


class Record(Section):
    """What is known of an image without opening it."""

    sha256: str
    simulated: bool
    valid_share: float = Field(ge=0, le=1)  # share of pixels with data
    units: float = Field(ge=0)  # processing units that it cost


class TileRecord(Section):
    """The first line of a tile's file; its pixels follow, as they lie in memory."""

    sha256: str  # of the pixels
    simulated: bool
    shape: tuple[int, int, int]
    dtype: str
    units: float = Field(ge=0)


@dataclass(frozen=True)
class Tile:
    """A part of an image: pixels of shape ``(bands, H, W)`` and the processing units that they cost."""

    array: NDArray[Any]
    units: float


def canonical(data: Any) -> str:
    """JSON with sorted keys and no blanks: equal data, equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def store_key(request: dict[str, Any], items: list[list[str]], service_identity: str) -> str:
    """The key of an image: `request` is its body (evalscript included) over the whole grid, `items` the catalog ids
    and versions, `service_identity` the service or the simulated world."""
    data = {"format": FORMAT, "request": request, "items": items, "service": service_identity}
    return hashlib.sha256(canonical(data).encode()).hexdigest()


@dataclass(frozen=True)
class Store:
    """A folder of images by key."""

    folder: Path

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.tif"

    def get(self, key: str, *, simulated: bool) -> Record | None:
        """The record of a whole entry, or None if it must be fetched.

        Raises
        ------
        SkredError
            The entry says that it is simulated and `simulated` is False, or the other way round.
        """
        try:
            record = Record.model_validate_json((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            whole = _sha256(self.path(key)) == record.sha256
        except (OSError, UnicodeDecodeError, ValidationError):
            return None
        if not whole:
            return None
        if record.simulated != simulated:
            raise SkredError(
                f"{self.path(key)}: {'simulated' if record.simulated else 'real'} pixels under the key of "
                f"{'simulated' if simulated else 'real'} ones; delete this file and run the download again"
            )
        return record

    def put(self, key: str, raster: Raster, *, simulated: bool, valid_share: float, units: float) -> Record:
        """Keep an image. Simulated ones carry the tag ``simulated=yes``.

        Raises
        ------
        SkredError
            The disk is full or the folder cannot be written.
        """
        tags = dict(raster.tags) | ({"simulated": "yes"} if simulated else {})
        marked = Raster(raster.array, raster.grid, raster.names, raster.units, raster.nodata, tags)
        with self._writing():
            (self.folder / f"{key}.json").unlink(missing_ok=True)
            write_cog(self.path(key), marked)
            record = Record(sha256=_sha256(self.path(key)), simulated=simulated, valid_share=valid_share, units=units)
            with atomic(self.folder / f"{key}.json") as temporary:
                temporary.write_text(canonical(record.model_dump()) + "\n", encoding="utf-8")
        for tile in self.folder.glob(f"{key}.*.tile"):
            tile.unlink(missing_ok=True)
        return record

    def get_tile(
        self, key: str, window: Window, shape: tuple[int, int, int], dtype: str, *, simulated: bool
    ) -> Tile | None:
        """A tile of the image `key` that is whole and what is wanted, or None if it must be fetched."""
        try:
            head, _, pixels = self._tile_path(key, window).read_bytes().partition(b"\n")
            record = TileRecord.model_validate_json(head)
        except (OSError, ValidationError):
            return None
        if (record.shape, record.dtype, record.simulated) != (shape, dtype, simulated):
            return None
        if hashlib.sha256(pixels).hexdigest() != record.sha256:
            return None
        return Tile(np.frombuffer(pixels, dtype).reshape(shape), record.units)

    def put_tile(self, key: str, window: Window, tile: Tile, *, simulated: bool) -> None:
        """Keep a tile until its image is put.

        Raises
        ------
        SkredError
            The disk is full or the folder cannot be written.
        """
        pixels = tile.array.tobytes()
        record = TileRecord(
            sha256=hashlib.sha256(pixels).hexdigest(),
            simulated=simulated,
            shape=tile.array.shape,
            dtype=tile.array.dtype.name,
            units=tile.units,
        )
        head = canonical(record.model_dump(mode="json")).encode() + b"\n"
        with self._writing(), atomic(self._tile_path(key, window)) as temporary:
            temporary.write_bytes(head + pixels)

    def _tile_path(self, key: str, window: Window) -> Path:
        return self.folder / f"{key}.{window.row}-{window.col}-{window.height}x{window.width}.tile"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SkredError(
                f"{self.folder}: cannot be written ({error}); make room or mend the folder, then run the download "
                "again: what has been fetched is kept"
            ) from error

    def link(self, key: str, target: Path) -> None:
        """Give an image a second name: a hard link, or a copy where the file system has no links across folders.

        Nothing here writes into a file that exists, so the two names never change each other.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self.path(key), target)
        except OSError:
            shutil.copyfile(self.path(key), target)

    def sweep(self) -> None:
        """Remove half-written files of processes that are gone, and tiles of images that are there."""
        if not self.folder.is_dir():
            return
        for file in sorted(self.folder.iterdir()):
            part, tile = _PART.match(file.name), _TILE.match(file.name)
            if (part and not _alive(int(part[1]))) or (tile and (self.folder / f"{tile[1]}.json").exists()):
                file.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
