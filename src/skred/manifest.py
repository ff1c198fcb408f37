"""`manifest.json`: what a folder of downloaded pixels (`data/raw/<event>/`) holds, file by file. No clock in it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field

from skred.core.json_file import read_json, write_json
from skred.core.params import Section, parse

OrbitDirection = Literal["ascending", "descending"]
When = Literal["pre", "post"]


class AcquisitionEntry(Section):
    """One pass of one satellite, one COG.

    Files of sensor S2: uint16 bands B02 B03 B04 B08 (reflectance x 10,000) and SCL; SCL 0 is no data.
    Files of sensor S1: uint16 bands VV VH, terrain-flattened gamma0 as `skred.coding.encode_db`; 0 is no data.
    """

    id: str  # of the catalog item
    sensor: Literal["S1", "S2"]
    window: When
    time: dt.datetime  # sensing time, UTC
    platform: str  # such as S1A
    orbit_direction: OrbitDirection | None  # None where the catalog does not say (S2)
    relative_orbit: int | None
    cloud_cover_percent: float | None
    file: str  # relative to the folder
    key: str  # of the request, evalscript, item and version: the name in the store
    valid_share: float = Field(ge=0, le=1)  # share of pixels with data


class GeometryEntry(Section):
    """How one radar track sees the terrain: uint16 `localIncidenceAngle` (0.01 degree, 0 no data) and
    `shadowMask` (1 layover or radar shadow)."""

    orbit_direction: OrbitDirection
    relative_orbit: int
    file: str
    key: str


class FileEntry(Section):
    """Any other file, with the key under which the store keeps it (None: not from the service)."""

    file: str
    key: str | None = None


class Manifest(Section):
    """`acquisitions` and `geometry` are sorted by (sensor, time, id) and (direction, orbit)."""

    event: str
    simulated: bool
    service: str  # base URL, or "offline" for simulated pixels
    acquisitions: tuple[AcquisitionEntry, ...]
    geometry: tuple[GeometryEntry, ...]
    dem: FileEntry
    inventory: FileEntry | None  # polygons of the landslides, GeoPackage with CRS; None: no landslides (control)


def read_manifest(folder: Path) -> Manifest:
    """Raises InputError when `folder` holds no whole download."""
    file = folder / "manifest.json"
    return parse(Manifest, read_json(file, "run the download stage again"), file=file)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`, the last file of a download."""
    write_json(folder / "manifest.json", manifest.model_dump(mode="json"))
