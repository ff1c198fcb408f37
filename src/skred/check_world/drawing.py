"""What all pictures of a simulated place share: panels, maps with scale and north, keys, and how they are saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.patheffects
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from skred.core.grid import Window
from skred.core.raster import atomic
from skred.world.world import World

BRIGHT = 0.2  # reflectance shown as white
DPI = 110
LEVELS = 23  # of each colour in a picture: fewer compress better
UNKNOWN = "#808080"
UNKNOWN_KEY = Patch(facecolor=UNKNOWN, edgecolor="black", lw=0.3, label="never seen clear")
LEGEND: dict[str, Any] = {"fontsize": 9, "framealpha": 0.9}


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as a small PNG of the same bytes each time: few levels a colour, no version of a library in it."""
    canvas: Any = FigureCanvasAgg(figure)
    figure.set_dpi(DPI)
    canvas.draw()
    colours = np.asarray(canvas.buffer_rgba())[..., :3].astype(np.float32)
    levels = (np.round(colours / 255 * (LEVELS - 1)) / (LEVELS - 1) * 255).astype(np.uint8)
    no_version: dict[str, Any] = {"Software": None}
    with atomic(path) as temporary:
        imsave(temporary, levels, format="png", metadata=no_version, pil_kwargs={"optimize": True})
    return path


def panels(count: int, title: str, *, wide: float = 5.4, rows: int = 1) -> tuple[Figure, list[Any]]:
    """A figure of `count` panels in `rows` rows, each `wide` inches wide."""
    columns = -(-count // rows)
    figure = Figure(figsize=(wide * columns, 0.84 * wide * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=11)
    return figure, list(np.ravel(figure.subplots(rows, columns, squeeze=False)))


def show(axes: Any, world: World, image: NDArray[Any], title: str, window: Window | None = None, **how: Any) -> Any:
    """Draw a map of a window (None: the whole place) with coordinates, a scale and north."""
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
    tip, tail = (0.92, 0.98), (0.92, 0.84)
    axes.annotate("grid N", xy=tip, xytext=tail, xycoords="axes fraction", ha="center", arrowprops=arrow, **text)
    return drawn


def overlay(axes: Any, drawn: Any, where: NDArray[np.bool_], colour: str) -> None:
    """Paint a mask in one colour over the map `drawn`."""
    image = np.zeros((*where.shape, 4))
    image[where] = (*to_rgb(colour), 1)
    axes.imshow(image, extent=drawn.get_extent(), interpolation="nearest")


def bar(figure: Figure, drawn: Any, axes: Any, label: str) -> None:
    """A colour bar of the map `drawn` beside it."""
    figure.colorbar(drawn, ax=axes, shrink=0.7, label=label)


def greenest(bands: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Colours after the storm, `UNKNOWN` where no look was clear."""
    image = np.stack([bands[name] for name in ("post_red", "post_green", "post_blue")], axis=-1)
    shown = np.clip(image / BRIGHT, 0, 1) ** 0.6
    return np.asarray(np.where(np.isfinite(shown), shown, to_rgb(UNKNOWN)))
