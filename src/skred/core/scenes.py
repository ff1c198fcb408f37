"""A folder of scenes: the composite contract, shared by simulated, downloaded and imported images.

``<folder>/scenes.json``             what the folder is: event, bands, scenes, whether the pixels are simulated
``<folder>/<scene>.tif``             float32, one band per entry of `bands`, NaN where unknown
``<folder>/<scene>.quality.tif``     uint8, `QUALITY_LAYERS`
``<folder>/<scene>.labels.tif``      uint8: 0 no landslide, 1 landslide, 255 unknown
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from skred.core.bands import Band, band_names
from skred.core.events import Role
from skred.core.grid import Grid, Window
from skred.core.json_file import read_json, write_json
from skred.core.params import Section, parse
from skred.core.raster import Raster, read_grid, read_raster, write_cog

NO_LANDSLIDE, LANDSLIDE, UNKNOWN = 0, 1, 255  # labels

QUALITY_LAYERS = (
    "clear_pre",  # optical looks without cloud or shadow before the event
    "clear_post",  # and after
    "passes_pre",  # radar passes that count before the event
    "passes_post",  # and after
    "layover_shadow",  # 1 where every radar track sees layover or shadow
    "observable_optical",  # 1 where optics saw the ground before and after
    "observable_radar",  # 1 where radar saw the ground before and after
)

FolderSplit = Literal["train", "val", "test"]


class SceneEntry(Section):
    """One scene of a folder; `split` is the subfolder that an imported scene came from, if it came from one."""

    name: str
    split: FolderSplit | None = None


class SceneIndex(Section):
    """`scenes.json`. `role` is None for imported images, `area_km2` counts all scenes' pixels."""

    event: str
    role: Role | None
    simulated: bool
    bands: tuple[Band, ...]
    scenes: tuple[SceneEntry, ...]
    about: dict[str, Any] = Field(default_factory=dict)  # dates, counts, source: for people


@dataclass(frozen=True)
class SceneFolder:
    """An opened folder of scenes."""

    path: Path
    index: SceneIndex

    @classmethod
    def open(cls, path: Path) -> SceneFolder:
        """Raises InputError if `path` is no folder of scenes."""
        file = path / "scenes.json"
        hint = f"{path} is no folder of scenes; make one with the composite stage or `skred import`"
        return cls(path, parse(SceneIndex, read_json(file, hint), file=file))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(scene.name for scene in self.index.scenes)

    def bands(self, scene: str, names: Sequence[str], window: Window | None = None) -> NDArray[np.float32]:
        """Bands of a scene, shape ``(bands, H, W)``, NaN where unknown."""
        array: NDArray[np.float32] = read_raster(self.path / f"{scene}.tif", bands=names, window=window).array
        return array

    def labels(self, scene: str) -> NDArray[np.uint8]:
        """Labels of a scene, shape ``(H, W)``."""
        array: NDArray[np.uint8] = read_raster(self.path / f"{scene}.labels.tif").array[0]
        return array

    def quality(self, scene: str, layer: str) -> NDArray[np.uint8]:
        """One quality layer of a scene, shape ``(H, W)``."""
        array: NDArray[np.uint8] = read_raster(self.path / f"{scene}.quality.tif", bands=[layer]).array[0]
        return array

    def grid(self, scene: str) -> Grid:
        """The grid of a scene."""
        return read_grid(self.path / f"{scene}.labels.tif")


def write_scene(
    folder: Path,
    scene: str,
    *,
    grid: Grid,
    bands: Sequence[Band],
    values: NDArray[np.float32],
    quality: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    tags: dict[str, str],
) -> None:
    """Write the three rasters of a scene.

    `values` has shape ``(bands, H, W)``, `quality` ``(len(QUALITY_LAYERS), H, W)``, `labels` ``(H, W)``.
    `tags` go into all three; a simulated scene has ``simulated=yes`` there.
    """
    write_cog(
        folder / f"{scene}.tif",
        Raster(values.astype(np.float32), grid, band_names(bands), tuple(b.unit for b in bands), float("nan"), tags),
    )
    write_cog(folder / f"{scene}.quality.tif", Raster(quality, grid, QUALITY_LAYERS, (), None, tags))
    write_cog(folder / f"{scene}.labels.tif", Raster(labels[None], grid, ("landslide",), (), float(UNKNOWN), tags))


def write_index(folder: Path, index: SceneIndex) -> None:
    """Write `scenes.json`, the last file of a folder: a folder with it is whole."""
    write_json(folder / "scenes.json", index.model_dump(mode="json"))
