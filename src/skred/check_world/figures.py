"""Pictures of a simulated place for docs/world.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.patheffects
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LightSource, ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray
from scipy import ndimage

from skred.check_world.composites import Composited
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
BRIGHT = 0.2  # reflectance shown as white


def draw_all(world: World, result: Composited, out: Path) -> list[Path]:
    """Write every picture of a place into the folder `out`; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    drawn = {
        "terrain": _terrain(world),
        "optical": _optical(world),
        "radar": _radar(world),
        "composites": _composites(world, result),
        "confounders": _confounders(world, result),
    }
    return [save(figure, out / f"world-{name}.png") for name, figure in drawn.items()]


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as a small PNG of the same bytes each time: 23 levels a colour, no version of matplotlib in it."""
    canvas: Any = FigureCanvasAgg(figure)
    figure.set_dpi(64)
    canvas.draw()
    colours = np.asarray(canvas.buffer_rgba())[..., :3].astype(np.float32)
    levels = (np.round(colours / 255 * 22) / 22 * 255).astype(np.uint8)
    no_version: dict[str, Any] = {"Software": None}
    imsave(path, levels, metadata=no_version, pil_kwargs={"optimize": True})
    return path


def _panels(count: int, title: str, *, wide: float = 5.4, rows: int = 1) -> tuple[Figure, list[Any]]:
    columns = -(-count // rows)
    figure = Figure(figsize=(wide * columns, 0.84 * wide * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=11)
    return figure, list(np.ravel(figure.subplots(rows, columns, squeeze=False)))


def _show(axes: Any, world: World, image: NDArray[Any], title: str, window: Window | None = None, **how: Any) -> Any:
    grid = world.grid.crop(window) if window is not None else world.grid
    west, south, east, north = (value / 1000 for value in grid.bounds)
    drawn = axes.imshow(image, extent=(west, east, south, north), interpolation="auto", **how)
    axes.set_title(title, fontsize=10)
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.tick_params(labelsize=7)
    axes.set_xlabel(f"east, km ({grid.crs})", fontsize=8)
    axes.set_ylabel("north, km", fontsize=8)
    length = 2.0 if east - west > 6 else 1.0 if east - west > 2 else 0.2
    x, y = west + 0.05 * (east - west), south + 0.05 * (north - south)
    axes.add_patch(Rectangle((x, y), length, 0.01 * (north - south), color="white", ec="black", lw=0.8))
    outline = mpl.patheffects.withStroke(linewidth=2, foreground="black")
    text: dict[str, Any] = {"color": "white", "fontsize": 8, "path_effects": [outline]}
    axes.text(x, y + 0.02 * (north - south), f"{length:g} km", **text)
    arrow = {"arrowstyle": "-|>", "color": "white"}
    axes.annotate(
        "grid N", xy=(0.95, 0.97), xytext=(0.95, 0.87), xycoords="axes fraction", ha="center", arrowprops=arrow, **text
    )
    return drawn


def _shade(world: World) -> NDArray[Any]:
    return np.asarray(LightSource(315, 45).hillshade(world.ground.terrain.height_m, dx=10, dy=10))


def _bar(figure: Figure, drawn: Any, axes: Any, label: str) -> None:
    figure.colorbar(drawn, ax=axes, shrink=0.7, label=label)


def _colours(look: dict[str, NDArray[Any]]) -> NDArray[Any]:
    return np.clip(np.stack([look[name] for name in ("B04", "B03", "B02")], axis=-1) / BRIGHT, 0, 1) ** 0.6


def _terrain(world: World) -> Figure:
    figure, (left, right) = _panels(2, f"Simulated ground, seed {_seed(world)}", wide=6.2)
    shade = _shade(world)
    drawn = _show(left, world, world.ground.terrain.height_m, "height of the true ground", cmap="gist_earth")
    left.imshow(shade, extent=drawn.get_extent(), cmap="gray", alpha=0.45)
    _bar(figure, drawn, left, "m above the sea")
    cover = world.ground.landcover.cover
    _show(
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
    right.legend(handles=handles, fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _looks(world: World, sensor: str) -> list[Acquisition]:
    return [one for one in world.acquisitions() if one.sensor == sensor and one.footprint_share == 1]


def _optical(world: World) -> Figure:
    looks = sorted(_looks(world, "S2"), key=lambda one: one.cloud_cover_percent or 0)
    cloudy = min(looks, key=lambda one: abs((one.cloud_cover_percent or 0) - 50))
    whole = world.grid.whole
    figure, (first, second, third) = _panels(3, "Simulated Sentinel-2 looks: B04, B03, B02, reflectance 0 to 0.2")
    for axes, one in ((first, looks[0]), (second, cloudy)):
        title = f"{one.day}, cloud {one.cloud_cover_percent:.0f} %"
        _show(axes, world, _colours(world.optical(one, whole)), title)
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
    _show(third, world, image, f"{cloudy.day}, scene classification (SCL)")
    handles = [
        Patch(facecolor=colour, edgecolor="black", lw=0.3, label=f"{code} {name}")
        for code, (name, colour) in codes.items()
    ]
    third.legend(handles=handles, fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _radar(world: World) -> Figure:
    figure, panels = _panels(2, "Simulated Sentinel-1 passes: VV, terrain-flattened gamma0", wide=5.6)
    side = min(512, *world.grid.shape)
    window = Window(world.grid.height // 2 - side // 2, world.grid.width // 2 - side // 2, side, side)
    for axes, direction in zip(panels, ("ascending", "descending"), strict=True):
        one = next(one for one in _looks(world, "S1") if one.orbit_direction == direction)
        power = world.radar(one, window)["VV"]
        title = f"{one.day}, {direction}, track {one.relative_orbit}"
        drawn = _show(axes, world, 10 * np.log10(np.maximum(power, 1e-5)), title, window, cmap="gray", vmin=-20, vmax=0)
        blind = world.viewing(direction, one.relative_orbit, window)["shadowMask"] > 0
        overlay = np.zeros((*blind.shape, 4))
        overlay[blind] = (*to_rgb("#cc79a7"), 1)
        axes.imshow(overlay, extent=drawn.get_extent(), interpolation="nearest")
        _bar(figure, drawn, axes, "dB")
        axes.legend(handles=[Patch(color="#cc79a7", label="layover or radar shadow")], fontsize=7, loc="upper left")
    return figure


def _composites(world: World, result: Composited) -> Figure:
    figure, panels = _panels(4, "Composites of both months, and the mapped landslides", wide=4.9, rows=2)
    bands = result.bands
    image = np.stack([bands[name] for name in ("post_red", "post_green", "post_blue")], axis=-1)
    _show(panels[0], world, np.clip(np.nan_to_num(image) / BRIGHT, 0, 1) ** 0.6, "greenest colours after the storm")
    drawn = _show(panels[1], world, bands["dndvi"], "dNDVI (grey: never seen)", cmap="RdYlGn", vmin=-0.6, vmax=0.6)
    panels[1].set_facecolor("#808080")
    _bar(figure, drawn, panels[1], "NDVI after less before")
    change = bands["post_vh"] - bands["pre_vh"]
    drawn = _show(panels[2], world, change, "change of VH, all tracks", cmap="RdBu_r", vmin=-4, vmax=4)
    panels[2].set_facecolor("#808080")
    _bar(figure, drawn, panels[2], "dB")
    _show(panels[3], world, _shade(world), "mapped landslides", cmap="gray")
    # One pixel wider than they are: otherwise the small ones vanish in a picture of this size.
    wide = ndimage.binary_dilation(result.labels == LANDSLIDE)
    overlay = np.zeros((*wide.shape, 4))
    overlay[wide] = (*to_rgb(SLIDE), 1)
    panels[3].imshow(overlay, extent=panels[3].images[0].get_extent(), interpolation="nearest")
    panels[3].legend(handles=[Patch(color=SLIDE, label="landslide (drawn wider)")], fontsize=7, loc="lower right")
    return figure


def _confounders(world: World, result: Composited) -> Figure:
    """For each kind of change, the place with most of it: colours above, dNDVI below."""
    seen = np.isfinite(result.bands["dndvi"])
    places = [(name, window) for name, mask in _kinds(world) if (window := _busiest(mask & seen)) is not None]
    title = "Change of each kind: colours after the storm, and dNDVI with the outline of what really changed"
    figure, panels = _panels(2 * len(places), title, wide=2.7, rows=2)
    bands = result.bands
    image = np.stack([bands[name] for name in ("post_red", "post_green", "post_blue")], axis=-1)
    masks = dict(_kinds(world))
    for i, (name, window) in enumerate(places):
        colours = np.clip(np.nan_to_num(image[window.slices]) / BRIGHT, 0, 1) ** 0.6
        _show(panels[i], world, colours, name, window)
        lower = panels[len(places) + i]
        drawn = _show(lower, world, bands["dndvi"][window.slices], "dNDVI", window, cmap="RdYlGn", vmin=-0.6, vmax=0.6)
        west, east, south, north = drawn.get_extent()
        height, width = window.height, window.width
        x = np.linspace(west, east, 2 * width + 1)[1::2]
        y = np.linspace(north, south, 2 * height + 1)[1::2]
        if name != "senescence on heath":  # heath is everywhere: its outline would hide it
            lower.contour(x, y, masks[name][window.slices].astype(float), [0.5], colors="black", linewidths=0.8)
        for axes in (panels[i], lower):
            axes.set(xlabel="", ylabel="", xticks=[], yticks=[])
    figure.colorbar(drawn, ax=panels[len(places) :], shrink=0.7, label="NDVI after less before")
    return figure


def _kinds(world: World) -> Sequence[tuple[str, NDArray[np.bool_]]]:
    ground, change = world.ground, world.ground.change
    cover, slope = ground.landcover.cover, ground.terrain.slope_deg
    last = (world.event.post.last - world.event.date).days
    bank = (change.flood > 0.3) & (slope < 8) & ground.terrain.floor
    return (
        ("landslides", ground.slides.share > 0.3),
        ("clear-cut", change.cut_day <= last),
        ("mowing and harvest", (change.mown_day > 0) & (change.mown_day <= last)),
        ("flood on steep streams", (change.flood > 0.3) & (slope > 12)),
        ("river-bank erosion", bank),
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
