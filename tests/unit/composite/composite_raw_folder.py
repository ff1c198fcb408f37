"""Synthetic raw folders as the download stage leaves them: seeded noise with a known landslide, not a landscape."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
import yaml
from numpy.typing import NDArray

from skred.coding import encode_db
from skred.core.events import Event, read_event
from skred.core.grid import Grid
from skred.core.raster import Raster, write_cog
from skred.manifest import AcquisitionEntry, FetchedEntry, FileEntry, GeometryEntry, Manifest, write_manifest

TRACKS = (("ascending", 15), ("ascending", 117), ("descending", 66), ("descending", 139))
FETCHED = {"key": "k", "request_sha256": "r", "evalscript_sha256": "e", "spent_pu": 0.1}
PARAMS = {
    "composite": {
        "optical": {
            "drop_scl": [0, 1, 3, 8, 9, 10],
            "drop_unclassified": False,
            "drop_snow": True,
            "mask_growth_m": 20.0,
            "min_clear": 1,
        },
        "radar": {"mean": "linear", "min_passes": 2, "drop_layover_shadow": True},
    }
}


@dataclass(frozen=True)
class Paths:
    params: Path
    event: Path
    raw: Path
    out: Path

    @classmethod
    def within(cls, folder: Path) -> Paths:
        return cls(folder / "params.yaml", folder / "events/made-up.yaml", folder / "raw", folder / "out/made-up")

    def arguments(self) -> list[str]:
        return [
            *("--params", str(self.params)),
            *("--event", str(self.event)),
            *("--raw", str(self.raw)),
            *("--out", str(self.out)),
        ]

    def read(self) -> Event:
        return read_event(self.event)


def write_event(folder: Path, *, size_px: int = 48, optical: int = 6, radar: int = 16, role: str = "develop") -> Paths:
    """Params, event and raw folder of an event of `size_px`² pixels, half of the acquisitions in each window."""
    paths = Paths(
        folder / "params.yaml", folder / "events" / "made-up.yaml", folder / "raw", folder / "out" / "made-up"
    )
    paths.event.parent.mkdir(parents=True, exist_ok=True)
    paths.raw.mkdir(parents=True, exist_ok=True)
    paths.params.write_text(yaml.safe_dump(PARAMS))
    event = {
        "name": "made-up",
        "title": "A made-up storm",
        "role": role,
        "source": "simulated",
        "date": dt.date(2019, 7, 30),
        "pre": {"first": dt.date(2019, 6, 29), "last": dt.date(2019, 7, 29)},
        "post": {"first": dt.date(2019, 7, 31), "last": dt.date(2019, 8, 30)},
        "area": {"center_lonlat": [6.3, 61.5], "width_m": size_px * 10, "height_m": size_px * 10},
        "simulation": {"seed": 1, "landslides": 0 if role == "control" else 1},
    }
    paths.event.write_text(yaml.safe_dump(event))
    grid = paths.read().area.grid
    slide = slide_of(grid)
    scar = np.zeros(grid.shape, bool)
    scar[size_px // 4 : size_px // 2, size_px // 4 : size_px // 4 + 4] = True
    rng = np.random.default_rng(7)
    entries = [
        *_radar(paths.raw, grid, rng, radar, scar),
        *_optical(paths.raw, grid, rng, optical, scar),
    ]
    for direction, orbit in TRACKS:
        angle = np.full(grid.shape, 3700, np.uint16)
        mask = np.zeros(grid.shape, np.uint16)
        mask[:3] = 1  # all tracks
        if direction == "ascending":
            mask[:, :3] = 1
        write(paths.raw, f"geometry/{direction}-{orbit}.tif", grid, ("localIncidenceAngle", "shadowMask"), angle, mask)
    rows, cols = np.indices(grid.shape)
    height = (500 + 3.0 * rows + 20 * np.sin(cols / 7)).astype(np.float32)
    write(paths.raw, "dem.tif", grid, ("DEM",), height)
    inventory = None
    if role != "control":
        inventory = FileEntry(file="inventory.gpkg")
        gpd.GeoDataFrame(geometry=[slide], crs=grid.crs).to_file(paths.raw / "inventory.gpkg")
    manifest = Manifest(
        event="made-up",
        simulated=True,
        service="offline",
        acquisitions=tuple(sorted(entries, key=lambda e: (e.sensor, e.time, e.id))),
        geometry=tuple(
            GeometryEntry(orbit_direction=d, relative_orbit=o, file=f"geometry/{d}-{o}.tif", **FETCHED)
            for d, o in TRACKS
        ),
        dem=FetchedEntry(file="dem.tif", **FETCHED),
        inventory=inventory,
        left_out=(),
    )
    write_manifest(paths.raw, manifest)
    return paths


def slide_of(grid: Grid) -> shapely.Polygon:
    """The polygon of the landslide that `write_event` puts into the pixels."""
    west, north = grid.west + grid.width // 4 * 10, grid.north - grid.height // 4 * 10
    return shapely.box(west, north - (grid.height // 2 - grid.height // 4) * 10, west + 40, north)


def write(folder: Path, file: str, grid: Grid, names: tuple[str, ...], *bands: NDArray) -> None:
    write_cog(folder / file, Raster(np.stack(bands), grid, names, tags={"simulated": "yes"}))


def _optical(raw: Path, grid: Grid, rng, count: int, scar: NDArray[np.bool_]) -> list[AcquisitionEntry]:
    entries = []
    for i in range(count):
        window = "pre" if i < count // 2 else "post"
        day = dt.datetime(2019, 7, 1) if window == "pre" else dt.datetime(2019, 8, 1)
        time = day + dt.timedelta(days=2 * (i % (count // 2)), hours=11)
        levels = np.array([300, 600, 350, 3000])[:, None, None] + rng.integers(-50, 50, (4, *grid.shape))
        if window == "post":
            levels = np.where(scar, np.array([800, 1000, 1200, 1800])[:, None, None], levels)
        scl = np.full(grid.shape, 4, np.uint16)
        cloud = rng.integers(0, grid.width)
        scl[:, max(0, cloud - grid.width // 2) : cloud] = 9
        scl[-6:, -6:] = 8  # never clear
        levels[:, scl != 4] = 6000
        file = f"S2/{window}-{i:02d}.tif"
        bands = [level.astype(np.uint16) for level in levels]
        write(raw, file, grid, ("B02", "B03", "B04", "B08", "SCL"), *bands, scl)
        entries.append(_entry(f"S2_{i:02d}", "S2", window, time, file=file, platform="S2A"))
    return entries


def _radar(raw: Path, grid: Grid, rng, count: int, scar: NDArray[np.bool_]) -> list[AcquisitionEntry]:
    entries = []
    for i in range(count):
        window = "pre" if i < count // 2 else "post"
        direction, orbit = TRACKS[i % len(TRACKS)]
        day = dt.datetime(2019, 7, 1) if window == "pre" else dt.datetime(2019, 8, 1)
        time = day + dt.timedelta(days=i % (count // 2), hours=5 if direction == "descending" else 17)
        bands = []
        for level in (0.15, 0.04):
            power = level * rng.gamma(4.4, 1 / 4.4, grid.shape)
            power *= np.where(scar & (window == "post"), 0.5, 1.0)
            bands.append(encode_db(power))
        file = f"S1/{window}-{i:02d}.tif"
        write(raw, file, grid, ("VV", "VH"), *bands)
        entries.append(
            _entry(f"S1_{i:02d}", "S1", window, time, file=file, platform="S1A", direction=direction, orbit=orbit)
        )
    return entries


def _entry(name, sensor, window, time, *, file, platform, direction=None, orbit=None) -> AcquisitionEntry:
    return AcquisitionEntry(
        id=name,
        sensor=sensor,
        window=window,
        time=time,
        platform=platform,
        orbit_direction=direction,
        relative_orbit=orbit,
        cloud_cover_percent=None,
        file=file,
        footprint_wkt=None,
        valid_share=1.0,
        **FETCHED,
    )
