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
Reason = Literal["older version", "outside the area", "too cloudy", "no data"]


class FetchedEntry(Section):
    """One image of the service: its file, relative to the folder, and what was asked for."""

    file: str
    key: str  # of the request, evalscript, items and versions: the name in the store
    request_sha256: str  # of the request over the whole area, as canonical JSON
    evalscript_sha256: str
    spent_pu: float = Field(ge=0)  # processing units that it cost when it was fetched


class AcquisitionEntry(FetchedEntry):
    """One pass of one satellite, one COG.

    Files of sensor S2: uint16 bands B02 B03 B04 B08 (reflectance x 10,000) and SCL; SCL 0 is no data.
    Files of sensor S1: uint16 bands VV VH, terrain-flattened gamma0 as `skred.coding.encode_db`; 0 is no data.
    """

    id: str  # of the catalog items, joined by "+"
    sensor: Literal["S1", "S2"]
    window: When
    time: dt.datetime  # sensing time of the first item, UTC
    platform: str  # such as S1A
    orbit_direction: OrbitDirection | None  # None where the catalog does not say (S2)
    relative_orbit: int | None
    cloud_cover_percent: float | None
    footprint_wkt: str | None  # outlines of the items, WGS84 degrees
    valid_share: float = Field(ge=0, le=1)  # share of pixels with data


class GeometryEntry(FetchedEntry):
    """How one radar track sees the terrain: uint16 `localIncidenceAngle` (0.01 degree, 0 no data) and
    `shadowMask` (1 layover or radar shadow)."""

    orbit_direction: OrbitDirection
    relative_orbit: int


class LeftOut(Section):
    """A catalog item of the windows whose pixels are not here."""

    id: str
    sensor: Literal["S1", "S2"]
    time: dt.datetime
    reason: Reason
    instead: str | None = None  # the version that is here


class FileEntry(Section):
    """A file that is not from the service."""

    file: str


class Manifest(Section):
    """`acquisitions` and `left_out` are sorted by (sensor, time, id), `geometry` by (direction, orbit)."""

    event: str
    simulated: bool
    service: str  # base URL, or "offline" for simulated pixels
    acquisitions: tuple[AcquisitionEntry, ...]
    geometry: tuple[GeometryEntry, ...]
    dem: FetchedEntry
    inventory: FileEntry | None  # polygons of the landslides, GeoPackage with CRS; None: no landslides (control)
    left_out: tuple[LeftOut, ...]


def read_manifest(folder: Path) -> Manifest:
    """Raises InputError when `folder` holds no whole download."""
    file = folder / "manifest.json"
    return parse(Manifest, read_json(file, "run the download stage again"), file=file)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`, the last file of a download."""
    write_json(folder / "manifest.json", manifest.model_dump(mode="json"))
