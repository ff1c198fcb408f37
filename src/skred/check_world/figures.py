"""Pictures of a simulated place for docs/world.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import LightSource, LinearSegmentedColormap, ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy import ndimage

from skred.check_world.composites import Composited
from skred.check_world.drawing import (
    BRIGHT,
    LEGEND,
    UNKNOWN,
    UNKNOWN_KEY,
    bar,
    greenest,
    overlay,
    panels,
    save,
    show,
)
from skred.core.errors import InputError
from skred.core.grid import Window
from skred.core.scenes import LANDSLIDE
from skred.world.acquisitions import Acquisition
from skred.world.cover import Cover
from skred.world.noise import Float
from skred.world.world import World

COVER_COLOURS = {
    Cover.WATER: "#3b6fb5",
    Cover.CONIFER: "#1f4d2b",
    Cover.BIRCH: "#6aa84f",
    Cover.MEADOW: "#c6e377",
    Cover.HEATH: "#a89b5b",
    Cover.BOG: "#8a7a9c",
    Cover.TILL: "#d8c9a6",
    Cover.ROCK: "#8c8c8c",
    Cover.BUILT: "#d62728",
}
SLIDE = "#d55e00"
PER_ROW = 4  # kinds of change beside each other
# Heights of land: no blue, which would make a dry valley floor a lake.
LAND = LinearSegmentedColormap.from_list("land", ["#5b7a46", "#a3b36f", "#d9c48f", "#a98562", "#8d7b72", "#f4f2f0"])


def draw_all(world: World, result: Composited, out: Path) -> list[Path]:
    """Write every picture of a place into the folder `out`; returns their paths.

    Raises
    ------
    InputError
        No pass of a sensor covers the whole place, or nothing that can be drawn changed in it.
    """
    drawn = {
        "terrain": _terrain(world),
        "optical": _optical(world),
        "radar": _radar(world),
        "composites": _composites(world, result),
        "confounders": _confounders(world, result),
    }
    return [save(figure, out / f"world-{name}.png") for name, figure in drawn.items()]


def _shade(world: World) -> NDArray[Any]:
    return np.asarray(LightSource(315, 45).hillshade(world.ground.terrain.height_m, dx=10, dy=10))


def _colours(look: dict[str, NDArray[Any]]) -> NDArray[Any]:
    return np.clip(np.stack([look[name] for name in ("B04", "B03", "B02")], axis=-1) / BRIGHT, 0, 1) ** 0.6


def _terrain(world: World) -> Figure:
    figure, (left, right) = panels(2, f"Simulated ground, seed {_seed(world)}", wide=6.2)
    shade = _shade(world)
    terrain = world.ground.terrain
    drawn = show(left, world, terrain.height_m, "height of the true ground", cmap=LAND)
    left.imshow(shade, extent=drawn.get_extent(), cmap="gray", alpha=0.45)
    bar(figure, drawn, left, "m above the sea")
    if terrain.water.any():
        overlay(left, drawn, terrain.water, COVER_COLOURS[Cover.WATER])
        left.legend(
            handles=[Patch(color=COVER_COLOURS[Cover.WATER], label="lake or fjord")], loc="upper left", **LEGEND
        )
    cover = world.ground.landcover.cover
    show(
        right,
        world,
        cover,
        "cover before the storm",
        cmap=ListedColormap(list(COVER_COLOURS.values())),
        vmin=-0.5,
        vmax=8.5,
    )
    right.imshow(shade, extent=drawn.get_extent(), cmap="gray", alpha=0.25)
    handles = [Patch(color=colour, label=kind.name.lower()) for kind, colour in COVER_COLOURS.items()]
    right.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), **LEGEND)
    return figure


def _looks(world: World, sensor: str, direction: str | None = None) -> list[Acquisition]:
    """Passes of a sensor, of one direction where one is named, that cover the whole place: at least one."""
    flown = [one for one in world.acquisitions() if one.sensor == sensor and one.footprint_share == 1]
    flown = [one for one in flown if direction in (None, one.orbit_direction)]
    if not flown:
        raise InputError(
            f"event {world.event.name}: no {direction or 'whole'} pass of {sensor} covers the area, so none can be "
            "drawn; lengthen its windows, or see world.orbits in the parameters"
        )
    return flown


def _optical(world: World) -> Figure:
    looks = sorted(_looks(world, "S2"), key=lambda one: one.cloud_cover_percent or 0)
    cloudy = min(looks, key=lambda one: abs((one.cloud_cover_percent or 0) - 50))
    whole = world.grid.whole
    figure, (first, second, third) = panels(3, "Simulated Sentinel-2 looks: B04, B03, B02, reflectance 0 to 0.2")
    for axes, one in ((first, looks[0]), (second, cloudy)):
        title = f"{one.day}, cloud {one.cloud_cover_percent:.0f} %"
        show(axes, world, _colours(world.optical(one, whole)), title)
    codes = {
        2: ("dark", "#404040"),
        3: ("cloud shadow", "#8c564b"),
        4: ("vegetation", "#2ca02c"),
        5: ("bare", "#e0d060"),
        6: ("water", "#1f77b4"),
        7: ("unclassified", "#7f7f7f"),
        8: ("cloud, medium", "#c0c0c0"),
        9: ("cloud, high", "#ffffff"),
        10: ("cirrus", "#60d0e0"),
        11: ("snow", "#ff60ff"),
    }
    classes = world.optical(cloudy, whole)["SCL"]
    image = np.zeros((*classes.shape, 3))
    for code, (_, colour) in codes.items():
        image[classes == code] = to_rgb(colour)
    show(third, world, image, f"{cloudy.day}, scene classification (SCL)")
    handles = [
        Patch(facecolor=colour, edgecolor="black", lw=0.3, label=f"{code} {name}")
        for code, (name, colour) in codes.items()
    ]
    third.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), **LEGEND)
    return figure


def _radar(world: World) -> Figure:
    figure, axes_of = panels(2, "Simulated Sentinel-1 passes: VV, terrain-flattened gamma0", wide=5.6)
    side = min(512, *world.grid.shape)
    window = Window(world.grid.height // 2 - side // 2, world.grid.width // 2 - side // 2, side, side)
    for axes, direction in zip(axes_of, ("ascending", "descending"), strict=True):
        one = _looks(world, "S1", direction)[0]
        power = world.radar(one, window)["VV"]
        title = f"{one.day}, {direction}, track {one.relative_orbit}"
        drawn = show(axes, world, 10 * np.log10(np.maximum(power, 1e-5)), title, window, cmap="gray", vmin=-20, vmax=0)
        blind = world.viewing(direction, one.relative_orbit, window)["shadowMask"] > 0
        overlay(axes, drawn, blind, "#cc79a7")
        bar(figure, drawn, axes, "dB")
        axes.legend(handles=[Patch(color="#cc79a7", label="layover or radar shadow")], loc="upper left", **LEGEND)
    return figure


def _composites(world: World, result: Composited) -> Figure:
    title = "Composites: colours after the storm, what changed in NDVI and VH, and the mapped landslides"
    figure, axes_of = panels(4, title, wide=4.9, rows=2)
    bands = result.bands
    show(axes_of[0], world, greenest(bands), "greenest colours after the storm")
    axes_of[0].legend(handles=[UNKNOWN_KEY], loc="lower right", **LEGEND)
    drawn = show(axes_of[1], world, bands["dndvi"], "dNDVI", cmap="RdYlGn", vmin=-0.6, vmax=0.6)
    axes_of[1].set_facecolor(UNKNOWN)
    axes_of[1].legend(handles=[UNKNOWN_KEY], loc="lower right", **LEGEND)
    bar(figure, drawn, axes_of[1], "NDVI after less before")
    change = bands["post_vh"] - bands["pre_vh"]
    drawn = show(axes_of[2], world, change, "change of VH, all tracks", cmap="RdBu_r", vmin=-4, vmax=4)
    axes_of[2].set_facecolor(UNKNOWN)
    bar(figure, drawn, axes_of[2], "dB")
    show(axes_of[3], world, _shade(world), "mapped landslides", cmap="gray")
    # One pixel wider than they are: otherwise the small ones vanish in a picture of this size.
    wide = ndimage.binary_dilation(result.labels == LANDSLIDE)
    overlay(axes_of[3], axes_of[3].images[0], wide, SLIDE)
    axes_of[3].legend(handles=[Patch(color=SLIDE, label="landslide (drawn wider)")], loc="lower right", **LEGEND)
    return figure


def _confounders(world: World, result: Composited) -> Figure:
    """For each kind of change, the place with most of it: colours above, dNDVI below."""
    seen = np.isfinite(result.bands["dndvi"])
    places = [(name, window) for name, mask in _kinds(world) if (window := _busiest(mask & seen)) is not None]
    if not places:
        raise InputError(f"event {world.event.name}: nothing changed where it was seen, so nothing is to draw")
    title = "Change of each kind: greenest colours after the storm, and dNDVI"
    rows = -(-len(places) // PER_ROW)
    figure, axes_of = panels(2 * rows * PER_ROW, title, wide=2.9, rows=2 * rows)
    for axes in axes_of:
        axes.set_visible(False)
    image, masks = greenest(result.bands), dict(_kinds(world))
    for i, (name, window) in enumerate(places):
        upper, lower = (axes_of[(2 * (i // PER_ROW) + below) * PER_ROW + i % PER_ROW] for below in (0, 1))
        show(upper, world, image[window.slices], name, window)
        change = result.bands["dndvi"][window.slices]
        drawn = show(lower, world, change, "dNDVI", window, cmap="RdYlGn", vmin=-0.6, vmax=0.6)
        lower.set_facecolor(UNKNOWN)
        west, east, south, north = drawn.get_extent()
        x = np.linspace(west, east, 2 * window.width + 1)[1::2]
        y = np.linspace(north, south, 2 * window.height + 1)[1::2]
        if name != "senescence on heath":  # heath is everywhere: its outline would hide it
            lower.contour(x, y, masks[name][window.slices].astype(float), [0.5], colors="black", linewidths=0.8)
        for axes in (upper, lower):
            axes.set(xlabel="", ylabel="", xticks=[], yticks=[], visible=True)
    figure.colorbar(drawn, ax=axes_of, shrink=0.5, label="NDVI after less before")
    outline = Line2D([], [], color="black", lw=1, label="the change that the title names (on heath: everywhere)")
    figure.legend(handles=[outline, UNKNOWN_KEY], loc="outside lower center", ncols=2, **LEGEND)
    return figure


def _kinds(world: World) -> Sequence[tuple[str, NDArray[np.bool_]]]:
    ground, change = world.ground, world.ground.change
    cover, slope = ground.landcover.cover, ground.terrain.slope_deg
    last = (world.event.post.last - world.event.date).days
    return (
        ("landslides", ground.slides.share > 0.3),
        ("clear-cut", change.cut_day <= last),
        ("mowing and harvest", (change.mown_day > 0) & (change.mown_day <= last)),
        ("flood on steep streams", (change.flood > 0.3) & (slope > 12) & (change.bank <= 0.3)),
        ("river-bank erosion", change.bank > 0.3),
        ("snow melt", (change.snow_day > -30) & (change.snow_day < last)),
        ("senescence on heath", (cover == Cover.HEATH) & (slope < 20)),
    )


def _busiest(mask: NDArray[np.bool_], side: int = 72) -> Window | None:
    """The window with most of a change in it, None where there is none."""
    if not mask.any() or min(mask.shape) < side:
        return None
    near: Float = ndimage.uniform_filter(mask.astype(np.float32), side)
    half = side // 2
    inner = near[half:-half, half:-half]
    row, col = np.unravel_index(int(inner.argmax()), inner.shape)
    return Window(int(row), int(col), side, side)


def _seed(world: World) -> int:
    return world.event.simulation.seed if world.event.simulation else 0
