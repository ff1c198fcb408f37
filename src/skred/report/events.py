"""Everything that the page shows of one event: pictures, outlines, judged polygons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
from numpy.typing import NDArray
from pyproj import Proj, Transformer

from skred.core.grid import Grid
from skred.core.json_file import read_json
from skred.core.raster import read_raster
from skred.core.scenes import SceneFolder
from skred.maps.observing import WORDS, Seen, observability
from skred.report import images, judged
from skred.report.palettes import DNDVI, PROBABILITY, RADAR, Palette
from skred.report.params import ReportParams

# Of the mask of what could be seen: grey tones apart from every polygon's colour. FULLY is clear.
MASK_COLOURS = {
    Seen.RADAR_ONLY: (150, 190, 220),
    Seen.OPTICS_ONLY: (190, 150, 120),
    Seen.LAYOVER_SHADOW: (70, 70, 70),
    Seen.CLOUD: (90, 140, 190),
    Seen.NO_PASS: (20, 20, 20),
}


@dataclass(frozen=True)
class Sources:
    """One event: its scenes, the picture before the storm (reflectances ``(3, H, W)``, None where images were
    imported), and its folder of maps per cell."""

    scenes: SceneFolder
    before: NDArray[np.float32] | None
    maps: Mapping[str, Path]


def event_for_page(
    sources: Sources, params: ReportParams, overlap_share: float
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the page's script needs of the first scene of an event, and its pictures (data URIs by name)."""
    scenes = sources.scenes
    scene = scenes.names[0]
    grid, labels = scenes.grid(scene), scenes.labels(scene)
    layers, pictures = _layers(sources, scene, grid, params)
    numbers, known = judged.known_landslides(labels, grid)
    cells = {
        cell: _cell(folder, scene, cell, labels, numbers, grid, overlap_share) for cell, folder in sources.maps.items()
    }
    parts = read_parts(sources.maps, scene)
    part = judged.parts_of(numbers, parts, grid)
    resolution = grid.resolution_m
    size = np.bincount(numbers.ravel())[1:] * resolution**2
    return {
        "name": scenes.index.event,
        "role": scenes.index.role,
        "simulated": scenes.index.simulated,
        "about": scenes.index.about,
        "grid": _place(grid),
        "layers": layers,
        "known": [{"rings": r, "area_m2": float(a), "part": p} for r, a, p in zip(known, size, part, strict=True)],
        "cells": cells,
        "parts": {row.part: judged.rings(row.geometry, grid) for row in parts.itertuples() if row.part != "buffer"},
        "mask_share": _mask_shares(scenes, scene),
    }, pictures


def _layers(
    sources: Sources, scene: str, grid: Grid, params: ReportParams
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    scenes, quality = sources.scenes, params.photo_quality
    bands = {band.name for band in scenes.index.bands}
    layers: list[dict[str, Any]] = []
    pictures: dict[str, str] = {}

    def add(key: str, title: str, picture: str, legend: dict[str, Any]) -> None:
        layers.append({"key": key, "title": title, **legend})
        pictures[key] = picture

    def colour(key: str, title: str, rgb: NDArray[np.float32]) -> None:
        note = f"reflectance 0 to {params.reflectance_max:g}, brightened; dark ground: no clear look"
        add(key, title, images.webp(images.true_colour(rgb, params.reflectance_max), quality), {"note": note})

    def data(key: str, title: str, values: NDArray[Any], palette: Palette) -> None:
        add(key, title, images.palette_png(values, palette, params.levels), _legend(palette, params.levels))

    if sources.before is not None:
        colour("before", "Before, true colour", sources.before)
    if {"post_red", "post_green", "post_blue"} <= bands:
        colour("after", "After, true colour", scenes.bands(scene, ["post_red", "post_green", "post_blue"]))
    if "dndvi" in bands:
        data("dndvi", "Change of NDVI (dNDVI)", scenes.bands(scene, ["dndvi"])[0], DNDVI)
    if {"pre_vv", "post_vv"} <= bands:
        before, after = scenes.bands(scene, ["pre_vv", "post_vv"])
        data("radar", "Change of radar, VV after − before", after - before, RADAR)
    for cell, folder in sources.maps.items():
        probability = read_raster(folder / f"{scene}-{cell}.probability.tif").array[0]
        data(f"probability-{cell}", f"Probability, {cell}", probability, PROBABILITY)
    if "elevation" in bands:
        shade = images.relief(scenes.bands(scene, ["elevation"])[0], grid.resolution_m)
        add("relief", "Shaded relief", images.webp(shade, quality), {"note": "elevation model, light from north-west"})
    pictures["mask"] = images.coded_png(
        observability(scenes, scene, ("optical", "radar")),
        np.array([(0, 0, 0), (0, 0, 0), *MASK_COLOURS.values()]),
        clear=int(Seen.FULLY),
    )
    return layers, pictures


def _legend(palette: Palette, levels: int) -> dict[str, Any]:
    return {
        "unit": palette.unit,
        "low": palette.low,
        "high": palette.high,
        "below": palette.below,
        "above": palette.above,
        "colours": [_hex(rgb) for rgb in palette.rgb(levels).tolist()],
    }


def _hex(rgb: Sequence[int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)


def _place(grid: Grid) -> dict[str, Any]:
    """The grid, and how far grid north lies from true north in its middle."""
    west, south, east, north = grid.bounds
    to_lonlat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    lon, lat = to_lonlat.transform((west + east) / 2, (south + north) / 2)
    convergence = Proj(grid.crs).get_factors(lon, lat).meridian_convergence
    # Straight lines of UTM are curved in degrees: between the corners alone a position would be metres off.
    lattice = [
        [[round(v, 7) for v in to_lonlat.transform(x, y)] for x in np.linspace(west, east, 5)]
        for y in np.linspace(north, south, 5)
    ]
    return {
        "crs": grid.crs,
        "west": west,
        "north": north,
        "resolution_m": grid.resolution_m,
        "width": grid.width,
        "height": grid.height,
        "convergence_deg": round(float(convergence), 2),
        "center": [round(lon, 4), round(lat, 4)],
        "lattice": lattice,  # longitude, latitude at 5 x 5 places, rows from north to south
    }


def _cell(
    folder: Path,
    scene: str,
    cell: str,
    labels: NDArray[np.uint8],
    numbers: NDArray[np.int32],
    grid: Grid,
    overlap_share: float,
) -> dict[str, Any]:
    frame = pyogrio.read_dataframe(folder / f"{scene}-{cell}.gpkg", layer="landslides")
    summary = read_json(folder / "summary.json", "run the map stage")[0]
    detected = judged.burn(frame, grid) > 0
    return {
        "summary": summary,
        "detected": judged.judge_detected(frame, labels, grid, overlap_share),
        "found": judged.judge_known(numbers, detected, overlap_share),
    }


def read_parts(maps: Mapping[str, Path], scene: str) -> gpd.GeoDataFrame:
    """The splits of an event that was trained on, from the first of its maps: columns `part` and geometry."""
    cell, folder = next(iter(maps.items()))
    frame = pyogrio.read_dataframe(folder / f"{scene}-{cell}.gpkg", layer="aoi")
    return frame[frame["part"] != "area"]


def _mask_shares(scenes: SceneFolder, scene: str) -> list[dict[str, Any]]:
    codes = observability(scenes, scene, ("optical", "radar"))
    return [
        {
            "words": WORDS[seen],
            "share": round(float((codes == seen).mean()), 4),
            "colour": None if seen == Seen.FULLY else _hex(MASK_COLOURS[seen]),
        }
        for seen in Seen
        if (codes == seen).any()
    ]
