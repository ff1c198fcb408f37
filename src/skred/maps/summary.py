"""The numbers that a person asks for first: the entry of a scene in ``summary.json``."""

from __future__ import annotations

import datetime as dt
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from skred.core.grid import Grid
from skred.core.scenes import SceneFolder
from skred.manifest import AcquisitionEntry, Manifest
from skred.maps.observing import Seen

_CODES = {"optical": "S2", "radar": "S1"}


def summarise(
    same_for_all: dict[str, Any],
    scenes: SceneFolder,
    scene: str,
    grid: Grid,
    frame: gpd.GeoDataFrame,
    seen: NDArray[Any],
) -> dict[str, Any]:
    """The summary of one map: `same_for_all` are the columns that all its polygons share, `frame` its polygons, `seen`
    codes of `Seen`, shape ``(H, W)``."""
    return {
        "scene": scene,
        **same_for_all,
        "role": scenes.index.role,
        "crs": grid.crs,
        "area_km2": round(grid.area_km2, 4),
        "observable_share": round(float((seen == Seen.FULLY).mean()), 4),
        "seen_share": round(float(np.isin(seen, [Seen.FULLY, Seen.RADAR_ONLY, Seen.OPTICS_ONLY]).mean()), 4),
        "landslides": len(frame),
        "landslide_area_m2": float(frame["area_m2"].sum()),
    }


def days_to_last_image(scenes: SceneFolder, manifest: Manifest | None, sensors: tuple[str, ...]) -> int | None:
    """Days from the event to the last image of `sensors` that can have been used; None where that is not known.

    Left out are looks that the catalog calls wholly cloudy or that have no pixel with data, and passes whose radar
    track, or optical looks of a sensor, are not there in both windows: a change needs both.
    """
    event = scenes.index.about.get("date")
    if manifest is None or event is None:
        return None
    used = {_CODES[sensor] for sensor in sensors}
    able = [entry for entry in manifest.acquisitions if entry.sensor in used and _shows_ground(entry)]
    before = {_series(entry) for entry in able if entry.window == "pre"}
    times = [entry.time.date() for entry in able if entry.window == "post" and _series(entry) in before]
    return (max(times) - dt.date.fromisoformat(event)).days if times else None


def _shows_ground(entry: AcquisitionEntry) -> bool:
    return entry.valid_share > 0 and (entry.cloud_cover_percent or 0.0) < 100


def _series(entry: AcquisitionEntry) -> tuple[Any, ...]:
    """What is compared before and after: a radar track with itself, optical looks with all others."""
    return (entry.sensor,) if entry.sensor == "S2" else (entry.sensor, entry.orbit_direction, entry.relative_orbit)
