"""Everything that scores are taken from, scene by scene: probability, labels, regions, blocks and objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skred.core.errors import InputError
from skred.core.grid import Grid
from skred.core.raster import read_raster
from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.patches.split import Split
from skred.patches.store import PatchFolder
from skred.scores.bins import predicted_positive
from skred.scores.blocks import BlockBins, block_raster, count_blocks, join
from skred.scores.confounders import Confounders, read_confounders
from skred.scores.objects import SceneObjects, find_objects

Region = Literal["validation", "test", "unseen", "control"]
CODES: dict[Region, int] = {"validation": 1, "test": 2, "unseen": 3, "control": 4}
_OF_SPLIT = {Split.VAL: CODES["validation"], Split.TEST: CODES["test"]}


@dataclass(frozen=True)
class ScenePart:
    """One scene with what was predicted there; arrays of shape (H, W). `spread` is the standard deviation between
    members, None without an ensemble; `regions` holds `CODES`, 0 for training and buffer; `seen` is by sensor where it
    showed the ground before and after."""

    event: str
    scene: str
    grid: Grid
    probability: NDArray[np.float32]
    spread: NDArray[np.float32] | None
    labels: NDArray[np.uint8]
    regions: NDArray[np.uint8]
    blocks: NDArray[np.int32]
    objects: SceneObjects
    confounders: Confounders | None
    seen: Mapping[str, NDArray[np.bool_]]

    def known(self, region: Region) -> NDArray[np.bool_]:
        """The labelled pixels of a region."""
        return np.asarray((self.regions == CODES[region]) & (self.labels != UNKNOWN))

    @property
    def pixel_ha(self) -> float | None:
        """None where the image has no place, so that its pixels have no size."""
        return self.grid.resolution_m**2 / 1e4 if self.grid.crs is not None else None


def gather(
    patches: PatchFolder,
    divided: SceneFolder,
    whole: Sequence[SceneFolder],
    probability: Path,
    threshold: float,
    *,
    block_px: int,
    truths: Mapping[str, Path],
) -> list[ScenePart]:
    """The scenes of `divided`, by the split rasters of `patches`, and of `whole`, each a region of its own.

    Where whole scenes were divided, a scene is a block.

    Raises
    ------
    InputError
        A probability raster lies on another grid than its scene, or holds NaN.
    """
    parts = []
    for folder in (divided, *sorted(whole, key=lambda folder: folder.index.event)):
        confounders = _confounders(truths.get(folder.index.event))
        for scene, p, spread, labels, grid in read_probability(folder, probability / folder.index.event):
            if folder is divided:
                split = patches.split_raster(scene)
                regions = np.zeros(labels.shape, np.uint8)
                for code, region in _OF_SPLIT.items():
                    regions[split == code] = region
                if not regions.any():
                    continue
            else:
                regions = np.full(labels.shape, CODES[_region(folder)], np.uint8)
            one = folder is divided and patches.about.split == "scenes"
            blocks = block_raster(labels, max(labels.shape) if one else block_px)
            found = find_objects(predicted_positive(p, threshold), labels, regions, blocks)
            seen = {sensor: folder.quality(scene, f"observable_{sensor}") > 0 for sensor in ("optical", "radar")}
            parts.append(
                ScenePart(folder.index.event, scene, grid, p, spread, labels, regions, blocks, found, confounders, seen)
            )
    return parts


def _region(folder: SceneFolder) -> Region:
    return "control" if folder.index.role == "control" else "unseen"


def _confounders(truth: Path | None) -> Confounders | None:
    return None if truth is None else read_confounders(truth)


def blocks_of(parts: Sequence[ScenePart]) -> BlockBins:
    """The counts per block of all regions."""
    return join(
        [
            count_blocks(
                part.probability,
                part.labels,
                part.regions == code,
                part.blocks,
                role=region,
                event=part.event,
                scene=part.scene,
            )
            for region, code in CODES.items()
            for part in parts
            if (part.regions == code).any()
        ]
    )


def seen_shares(parts: Sequence[ScenePart], regions: Sequence[Region], sensors: Sequence[str]) -> dict[str, Any]:
    """The shares of the known pixels of some regions, and of the landslide pixels among them, that at least one of
    `sensors` showed; empty without a sensor, None without a pixel."""
    total, seen = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for part in parts:
        shown = np.logical_or.reduce([part.seen[sensor] for sensor in sensors]) if sensors else False
        for region in regions:
            known = part.known(region)
            for i, pixels in enumerate((known, known & (part.labels == LANDSLIDE))):
                total[i] += pixels.sum()
                seen[i] += (pixels & shown).sum()
    names = ("seen_share", "seen_landslide_share") if sensors else ()
    return {name: float(seen[i] / total[i]) if total[i] else None for i, name in enumerate(names)}


def read_probability(
    scenes: SceneFolder, probability: Path
) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.uint8], Grid]]:
    """(scene, probability, spread, labels, grid) of each scene of a folder. Raises as `gather`."""
    for scene in scenes.names:
        file = probability / f"{scene}.tif"
        raster, labels, grid = read_raster(file), scenes.labels(scene), scenes.grid(scene)
        if raster.grid != grid:
            raise InputError(f"{file}: lies on another grid than the scene; predict it again")
        if np.isnan(raster.array[0]).any():
            raise InputError(f"{file}: holds NaN; `skred predict` gives every pixel a number")
        spread = raster.band("spread") if "spread" in raster.names else None
        yield scene, raster.array[0], spread, labels, grid
