"""Figures for papers, as PNG: composites of an event, errors of the models over them, the settings side by side.

Every panel has its colour scale with unit, a scale bar, grid north, and the word simulated where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.patheffects
import numpy as np
import pyogrio
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from skred.core.grid import Grid
from skred.core.raster import read_raster
from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.report.events import read_parts
from skred.report.images import true_colour
from skred.report.judged import burn
from skred.report.palettes import DNDVI, PROBABILITY, RADAR, Palette

# As in `skred.scores.figures`: told apart with any colour vision (Okabe & Ito 2008).
HIT, MISSED, FALSE_ALARM = "#009e73", "#d55e00", "#cc79a7"
_KNOWN, _HATCH = "#35d0ff", "#9a9a9a"
_TICKS, _SCALE = 0.9, 1.7  # inches beside a panel
_OUTLINE = [mpl.patheffects.withStroke(linewidth=2.2, foreground="black")]


def draw_composites(path: Path, scenes: SceneFolder, before: NDArray[Any] | None, white: float) -> None:
    """Before, after, change of NDVI and change of radar of the first scene; a layer that is not there is left empty."""
    scene = scenes.names[0]
    grid, bands = scenes.grid(scene), {band.name for band in scenes.index.bands}
    figure = Figure(figsize=_size(2, 2, grid, _SCALE), layout=ConstrainedLayoutEngine(w_pad=0.12))
    axes = figure.subplots(2, 2)
    if before is not None:
        _photo(axes[0, 0], before, grid, white, "before, true colour")
    if {"post_red", "post_green", "post_blue"} <= bands:
        after = scenes.bands(scene, ["post_red", "post_green", "post_blue"])
        _photo(axes[0, 1], after, grid, white, "after, true colour")
    if "dndvi" in bands:
        _layer(figure, axes[1, 0], scenes.bands(scene, ["dndvi"])[0], grid, DNDVI, "change of NDVI")
    if {"pre_vv", "post_vv"} <= bands:
        pre, post = scenes.bands(scene, ["pre_vv", "post_vv"])
        _layer(figure, axes[1, 1], post - pre, grid, RADAR, "radar, VV after − before")
    for empty in axes.flat:
        if not empty.images:
            empty.set_axis_off()
    _finish(figure, path, f"Event '{scenes.index.event}'", scenes, grid)


def draw_errors(path: Path, scenes: SceneFolder, maps: Mapping[str, Path], white: float) -> None:
    """Hits, misses and false alarms of every mapped cell, pixel by pixel, over the picture after the event."""
    scene = scenes.names[0]
    grid, labels = scenes.grid(scene), scenes.labels(scene)
    figure, axes = _panels(len(maps), grid, _TICKS)
    parts = read_parts(maps, scene)
    test = burn(parts[parts["part"] == "test"].assign(id=1), grid) > 0
    picture = _backdrop(scenes, scene, white)
    for one, (cell, folder) in zip(axes, maps.items(), strict=False):
        frame = pyogrio.read_dataframe(folder / f"{scene}-{cell}.gpkg", layer="landslides")
        detected = burn(frame, grid) > 0
        one.imshow(picture, extent=_extent_km(grid), interpolation="nearest")
        one.set_facecolor("black")
        overlay = np.zeros((*labels.shape, 4))
        known = labels != UNKNOWN
        for mask, colour in (
            (detected & (labels == LANDSLIDE), HIT),
            (~detected & (labels == LANDSLIDE), MISSED),
            (detected & (labels != LANDSLIDE) & known, FALSE_ALARM),
        ):
            overlay[mask] = (*mpl.colors.to_rgb(colour), 1.0)
        one.imshow(overlay, extent=_extent_km(grid), interpolation="nearest")
        one.set_title(f"{cell}: {len(frame)} polygons", fontsize=10)
        if test.any():
            one.contour(
                np.flipud(test), levels=[0.5], extent=_extent_km(grid), colors="white", linewidths=1.2, linestyles="--"
            )
    handles = [Patch(color=c, label=w) for w, c in (("hit", HIT), ("missed", MISSED), ("false alarm", FALSE_ALARM))]
    if picture.shape[-1] == 4:
        handles.append(Patch(facecolor="black", edgecolor="#808080", label="no clear optical look"))
    _legend(figure, handles)
    title = f"Errors on the event '{scenes.index.event}'"
    if test.any():
        title += "\ndashed: the test split, the only part that is scored"
    _finish(figure, path, title, scenes, grid)


def draw_settings(path: Path, scenes: SceneFolder, maps: Mapping[str, Path]) -> None:
    """Probability of every mapped cell side by side, outlines of the known landslides over it."""
    scene = scenes.names[0]
    grid, labels = scenes.grid(scene), scenes.labels(scene)
    known = bool((labels == LANDSLIDE).any())
    figure, axes = _panels(len(maps), grid, _SCALE)
    hatched = False
    for one, (cell, folder) in zip(axes, maps.items(), strict=False):
        probability = read_raster(folder / f"{scene}-{cell}.probability.tif").array[0]
        _layer(figure, one, probability, grid, PROBABILITY, cell)
        observable = pyogrio.read_dataframe(folder / f"{scene}-{cell}.gpkg", layer="observable")
        partly = (burn(observable[~observable["observable"]].assign(id=1), grid) > 0) & np.isfinite(probability)
        if partly.any():
            hatched = True
            with mpl.rc_context({"hatch.color": _HATCH, "hatch.linewidth": 0.4}):
                one.contourf(
                    np.flipud(partly), levels=[0.5, 1.5], extent=_extent_km(grid), colors="none", hatches=["///"]
                )
        if known:
            one.contour(
                np.flipud(labels == LANDSLIDE), levels=[0.5], extent=_extent_km(grid), colors=_KNOWN, linewidths=0.7
            )
    handles: list[Any] = [Line2D([], [], color=_KNOWN, lw=1.5, label="outline of a known landslide")] if known else []
    if hatched:
        words = "not seen by every sensor of the setting, before and after"
        handles.append(Patch(facecolor="black", edgecolor=_HATCH, hatch="///", label=words))
    _legend(figure, handles)
    _finish(figure, path, f"Uncalibrated probability on the event '{scenes.index.event}'", scenes, grid)


def _size(columns: int, rows: int, grid: Grid, beside: float) -> tuple[float, float]:
    """Inches of a figure whose panels keep the grid's shape, so that no room is left between them; `beside` is the
    width of the ticks and of the colour scale beside each."""
    wide = 4.5
    return columns * (wide + beside), rows * (wide * min(max(grid.height / grid.width, 0.3), 3) + 0.6) + 0.9


def _legend(figure: Figure, handles: list[Any]) -> None:
    """Below the panels, so that it hides nothing."""
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4), fontsize=9)


def _panels(count: int, grid: Grid, beside: float) -> tuple[Figure, list[Any]]:
    columns = 2 if count > 1 else 1
    rows = -(-count // columns)
    figure = Figure(figsize=_size(columns, rows, grid, beside), layout=ConstrainedLayoutEngine(w_pad=0.12))
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in axes[count:]:
        empty.set_axis_off()
    return figure, axes[:count]


def _photo(axes: Any, rgb: NDArray[Any], grid: Grid, white: float, title: str) -> None:
    axes.imshow(true_colour(rgb, white), extent=_extent_km(grid), interpolation="nearest")
    axes.set_facecolor("black")
    axes.set_title(f"{title} (black: no clear look)", fontsize=10)


def _layer(figure: Figure, axes: Any, values: NDArray[Any], grid: Grid, palette: Palette, title: str) -> None:
    drawn = axes.imshow(
        values,
        extent=_extent_km(grid),
        cmap=palette.colours,
        vmin=palette.low,
        vmax=palette.high,
        interpolation="nearest",
    )
    axes.set_facecolor("#808080")
    axes.set_title(f"{title} (grey: unknown)", fontsize=10)
    extend = "neither" if palette is PROBABILITY else "both"
    beside = axes.inset_axes((1.03, 0.0, 0.045, 1.0))  # as high as the map
    figure.colorbar(drawn, cax=beside, extend=extend).set_label(palette.unit, size=8)
    beside.tick_params(labelsize=7)


def _backdrop(scenes: SceneFolder, scene: str, white: float) -> NDArray[np.uint8]:
    names = {band.name for band in scenes.index.bands}
    if not {"post_red", "post_green", "post_blue"} <= names:
        return np.full((*scenes.grid(scene).shape, 3), 90, np.uint8)
    colours = true_colour(scenes.bands(scene, ["post_red", "post_green", "post_blue"]), white)
    grey = colours[..., :3].mean(axis=-1, keepdims=True) * 0.6  # so that the overlay alone has colour
    return np.concatenate([np.repeat(grey, 3, axis=-1), colours[..., 3:]], axis=-1).astype(np.uint8)


def _extent_km(grid: Grid) -> tuple[float, float, float, float]:
    west, south, east, north = grid.bounds
    return west / 1000, east / 1000, south / 1000, north / 1000


def _finish(figure: Figure, path: Path, title: str, scenes: SceneFolder, grid: Grid) -> None:
    west, south, east, north = (value / 1000 for value in grid.bounds)
    length = next((km for km in (2.0, 1.0, 0.5, 0.2, 0.1) if km <= (east - west) / 4), 0.05)
    for axes in figure.axes:
        if not axes.images or not axes.get_title():
            continue
        x, y = west + 0.04 * (east - west), south + 0.04 * (north - south)
        axes.add_patch(Rectangle((x, y), length, 0.01 * (north - south), color="white", ec="black", lw=0.8))
        text: dict[str, Any] = {"color": "white", "fontsize": 8, "path_effects": _OUTLINE}
        axes.text(x, y + 0.02 * (north - south), f"{length:g} km", **text)
        axes.text(0.03, 0.97, "grid N ↑", transform=axes.transAxes, va="top", **text)
        axes.tick_params(labelsize=7)
        axes.set_xlabel(f"east, km ({grid.crs})", fontsize=8)
        axes.set_ylabel("north, km", fontsize=8)
    figure.suptitle(f"{title} ({'simulated' if scenes.index.simulated else 'real'} pixels)", fontsize=12)
    # Without this matplotlib writes its version into the file, and the hash moves with every release.
    figure.savefig(path, dpi=90, metadata={"Software": None}, facecolor="white")
