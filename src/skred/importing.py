"""Turn a folder of images and masks into a folder of scenes, by a table that says which file and channel is which band.

This is the door for labelled patches of any origin: benchmark sets, hand-made exports, other services.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from skred.core.bands import Band, BandName, Clip, Sensor
from skred.core.errors import InputError
from skred.core.grid import Grid
from skred.core.params import Section, parse, read_yaml
from skred.core.raster import atomic_folder, read_raster
from skred.core.scenes import (
    LANDSLIDE,
    NO_LANDSLIDE,
    QUALITY_LAYERS,
    UNKNOWN,
    FolderSplit,
    SceneEntry,
    SceneIndex,
    write_index,
    write_scene,
)

SPLIT_FOLDERS: tuple[FolderSplit, ...] = ("train", "val", "test")


class _Described(Section):
    """What every band of a table says about itself; see `skred.core.bands.Band`."""

    meaning: str
    unit: str
    sensor: Sensor
    clip: Clip


class ImageBand(_Described):
    """A band that is one channel of one file: ``value = stored * scale + offset``."""

    image: str  # a key of `images`
    channel: int = Field(default=1, ge=1)
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None  # stored value that means "unknown"


class DerivedBand(_Described):
    """A band made from two bands above it, `normalised_difference` (a - b) / (a + b) or `difference` a - b."""

    normalised_difference: tuple[str, str] | None = None
    difference: tuple[str, str] | None = None

    @model_validator(mode="after")
    def _one_formula(self) -> DerivedBand:
        if (self.normalised_difference is None) == (self.difference is None):
            raise ValueError("exactly one of normalised_difference and difference")
        return self

    @property
    def sources(self) -> tuple[str, str]:
        sources = self.normalised_difference or self.difference
        assert sources is not None  # noqa: S101 - the validator saw to it
        return sources


class BandTable(Section):
    """A band table: how a folder of images becomes scenes.

    `images` and `mask` are path patterns below each split folder (or below the source itself when it has none), with
    ``{id}`` for the scene. A mask value above 0 is the positive class.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    positive: str = Field(min_length=1)  # what the mask marks, such as "landslide"
    images: dict[str, str] = Field(min_length=1)
    mask: str | None = None
    splits: dict[FolderSplit, FolderSplit] = Field(default_factory=dict)  # folder -> the split it is used as
    bands: dict[BandName, ImageBand] = Field(min_length=1)
    derived: dict[BandName, DerivedBand] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> BandTable:
        for key, pattern in {**self.images, **({"mask": self.mask} if self.mask else {})}.items():
            if pattern.count("{id}") != 1:
                raise ValueError(f"the path pattern of {key} ({pattern!r}) to hold {{id}} once")
        for name, band in self.bands.items():
            if band.image not in self.images:
                raise ValueError(f"band {name}: image to be one of {', '.join(self.images)}, not {band.image!r}")
        known = list(self.bands)
        for name, derived in self.derived.items():
            for source in derived.sources:
                if source not in known:
                    raise ValueError(f"derived band {name}: bands above it ({', '.join(known)}), not {source!r}")
            if name in known:
                raise ValueError(f"derived band {name}: another name; this one is taken")
            known.append(name)
        return self

    def described(self) -> tuple[Band, ...]:
        """All bands of a scene, in the order of the file."""
        fields = ("meaning", "unit", "sensor", "clip")
        rows: Mapping[str, _Described] = {**self.bands, **self.derived}
        return tuple(Band(name=name, **{f: getattr(row, f) for f in fields}) for name, row in rows.items())


@dataclass(frozen=True)
class _Source:
    name: str  # of the scene
    folder: Path
    id: str
    split: FolderSplit | None


def read_table(path: Path) -> BandTable:
    """Read a band table. Raises InputError with the wrong key."""
    return parse(BandTable, read_yaml(path), file=path)


def import_scenes(table_file: Path, source: Path, out: Path) -> SceneIndex:
    """Import every scene of `source` into the new folder of scenes `out`.

    Subfolders ``train``, ``val`` and ``test`` of `source`, as many as there are, become the scenes' splits; without
    any of them all images lie in `source` itself and have no split. The band table may rename a split. Scenes keep
    their CRS if their images have one, and the mark of simulated pixels. `out` appears only when everything is in it.

    Raises
    ------
    InputError
        The table is wrong; the source is missing or empty; an image or mask is missing, has another size or CRS than
        the scene's other images, or has too few channels.
    """
    table = read_table(table_file)
    sources = _find(table, source)
    bands = table.described()
    with_masks = _has_masks(table, sources, source)
    with atomic_folder(out) as building:
        entries, any_simulated = [], False
        for scene in sources:
            values, grid, simulated = _read_bands(table, scene)
            any_simulated |= simulated
            labels = _read_mask(table, scene, grid) if with_masks else np.full(grid.shape, UNKNOWN, np.uint8)
            tags = {"simulated": "yes" if simulated else "no", "source": table.name, "positive": table.positive}
            write_scene(
                building,
                scene.name,
                grid=grid,
                bands=bands,
                values=values,
                quality=_quality(bands, values),
                labels=labels,
                tags=tags,
            )
            entries.append(SceneEntry(name=scene.name, split=scene.split))
        index = SceneIndex(
            event=table.name,
            role=None,
            simulated=any_simulated,
            bands=bands,
            scenes=tuple(entries),
            about={"title": table.title, "positive": table.positive},
        )
        write_index(building, index)
    return index


def _find(table: BandTable, source: Path) -> list[_Source]:
    if not source.is_dir():
        raise InputError(f"{source}: no such folder; wanted images laid out as the band table says")
    folders: list[tuple[Path, FolderSplit | None]] = [
        (source / name, table.splits.get(name, name)) for name in SPLIT_FOLDERS if (source / name).is_dir()
    ]
    pattern = next(iter(table.images.values()))
    found = []
    for folder, split in folders or [(source, None)]:
        before, after = pattern.split("{id}")
        for path in sorted(folder.glob(pattern.replace("{id}", "*"))):
            stem = path.relative_to(folder).as_posix().removeprefix(before).removesuffix(after)
            prefix = f"{folder.name}-" if split else ""
            found.append(_Source(f"{prefix}{stem.replace('/', '-')}", folder, stem, split))
    if not found:
        raise InputError(f"{source}: no image matches {pattern!r}, in it or in its folders train, val, test")
    return found


def _has_masks(table: BandTable, sources: list[_Source], source: Path) -> bool:
    if table.mask is None:
        return False
    present = [scene for scene in sources if _path(scene, table.mask).is_file()]
    if not present:
        sys.stderr.write(f"skred: {source}: no masks found ({table.mask}); all labels are unknown\n")
    elif len(present) < len(sources):
        missing = next(scene for scene in sources if scene not in present)
        raise InputError(f"{_path(missing, table.mask)}: missing; every scene needs its mask, or none has one")
    return bool(present)


def _path(scene: _Source, pattern: str) -> Path:
    return scene.folder / pattern.replace("{id}", scene.id)


def _read_bands(table: BandTable, scene: _Source) -> tuple[NDArray[np.float32], Grid, bool]:
    """Bands (bands, H, W), their grid, and whether any image says of itself that it is simulated."""
    simulated = False
    images: dict[str, NDArray[Any]] = {}
    grid: Grid | None = None
    for key in table.images:
        path = _path(scene, table.images[key])
        if not path.is_file():
            raise InputError(f"{path}: missing; scene {scene.name} needs it for {key}")
        raster = read_raster(path)
        if grid is not None and raster.grid != grid:
            raise InputError(f"{path}: size or place {raster.grid} differs from the scene's other images ({grid})")
        grid, images[key] = raster.grid, raster.array
        simulated |= raster.tags.get("simulated") == "yes"
    assert grid is not None  # noqa: S101 - a table has at least one image
    values: dict[str, NDArray[np.float32]] = {}
    for name, band in table.bands.items():
        image = images[band.image]
        if band.channel > len(image):
            path = _path(scene, table.images[band.image])
            raise InputError(f"{path}: has {len(image)} channels; band {name} wants channel {band.channel}")
        stored = image[band.channel - 1].astype(np.float64)
        if band.nodata is not None:
            stored[stored == band.nodata] = np.nan
        values[name] = (stored * band.scale + band.offset).astype(np.float32)
    for name, derived in table.derived.items():
        values[name] = _derive(derived, values)
    return np.stack(list(values.values())), grid, simulated


def _derive(band: DerivedBand, values: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    a, b = (values[name].astype(np.float64) for name in band.sources)
    if band.difference is not None:
        return (a - b).astype(np.float32)
    total = a + b
    return np.where(total != 0, (a - b) / np.where(total != 0, total, 1), np.nan).astype(np.float32)


def _read_mask(table: BandTable, scene: _Source, grid: Grid) -> NDArray[np.uint8]:
    assert table.mask is not None  # noqa: S101 - asked only where there is one
    path = _path(scene, table.mask)
    raster = read_raster(path)
    if raster.grid.shape != grid.shape:
        raise InputError(f"{path}: {raster.grid.shape} pixels, the scene's images have {grid.shape}; make them equal")
    if raster.grid.crs is not None and grid.crs is not None and raster.grid != grid:
        raise InputError(f"{path}: lies at {raster.grid}, the scene's images at {grid}; reproject one of them")
    return np.where(raster.array[0] > 0, LANDSLIDE, NO_LANDSLIDE).astype(np.uint8)


def _quality(bands: tuple[Band, ...], values: NDArray[np.float32]) -> NDArray[np.uint8]:
    # One look before and one after per pixel is all that an imported image can vouch for.
    def seen(sensor: Sensor) -> NDArray[np.bool_]:
        rows = [i for i, band in enumerate(bands) if band.sensor == sensor]
        return np.asarray(np.isfinite(values[rows]).all(axis=0) & bool(rows))

    optical, radar = seen("optical"), seen("radar")
    layers = {"clear": optical, "passes": radar, "observable_optical": optical, "observable_radar": radar}
    nothing = np.zeros(values.shape[1:], bool)
    return np.stack([layers.get(name, layers.get(name.split("_")[0], nothing)) for name in QUALITY_LAYERS]).astype(
        np.uint8
    )
