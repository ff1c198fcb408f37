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
from skred.scores.ranked import Ranked

Region = Literal["validation", "test", "unseen", "control"]
CODES: dict[Region, int] = {"validation": 1, "test": 2, "unseen": 3, "control": 4}
_OF_SPLIT = {Split.VAL: CODES["validation"], Split.TEST: CODES["test"]}


@dataclass(frozen=True)
class ScenePart:
    """One scene with what was predicted there; arrays of shape (H, W). `spread` is the standard deviation between
    members, None without an ensemble; `regions` holds `CODES`, 0 for training and buffer; `blocks` numbers of blocks,
    `per_row` of them in a row; `seen` is by sensor where it showed the ground before and after."""

    event: str
    scene: str
    grid: Grid
    probability: NDArray[np.float32]
    spread: NDArray[np.float32] | None
    labels: NDArray[np.uint8]
    regions: NDArray[np.uint8]
    blocks: NDArray[np.int32]
    per_row: int
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
        A probability raster is missing, lies on another grid than its scene, or has values outside 0 to 1.
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
            side = max(labels.shape) if one else block_px
            blocks, per_row = block_raster(labels, side), -(-labels.shape[1] // side)
            found = find_objects(predicted_positive(p, threshold), labels, regions, blocks)
            seen = {sensor: folder.quality(scene, f"observable_{sensor}") > 0 for sensor in ("optical", "radar")}
            parts.append(
                ScenePart(
                    event=folder.index.event,
                    scene=scene,
                    grid=grid,
                    probability=p,
                    spread=spread,
                    labels=labels,
                    regions=regions,
                    blocks=blocks,
                    per_row=per_row,
                    objects=found,
                    confounders=confounders,
                    seen=seen,
                )
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
                part.per_row,
                role=region,
                event=part.event,
                scene=part.scene,
            )
            for region, code in CODES.items()
            for part in parts
            if (part.regions == code).any()
        ]
    )


def ranked_of(parts: Sequence[ScenePart], regions: Sequence[Region]) -> tuple[Ranked, NDArray[np.int64]]:
    """The known pixels of some regions, and the block of each: its line in ``blocks_of(parts).of(*regions)``."""
    ranked, lines, count = [], [np.zeros(0, np.int64)], 0
    for region in (name for name in CODES if name in regions):
        for part in parts:
            known = part.known(region)
            ids, index = np.unique(part.blocks[known], return_inverse=True)
            ranked.append(Ranked.of(part.probability, part.labels, known))
            lines.append(index.astype(np.int64) + count)
            count += len(ids)
    return Ranked.join(ranked), np.concatenate(lines)


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
    scenes: SceneFolder, probability: Path, names: Sequence[str] | None = None
) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.uint8], Grid]]:
    """(scene, probability, spread, labels, grid) of each scene, or of those of `names`. Raises as `gather`."""
    for scene in scenes.names if names is None else names:
        file = probability / f"{scene}.tif"
        if not file.is_file():
            raise InputError(f"{probability}: no raster of scene {scene}; predict {scenes.path} into it first")
        raster, labels, grid = read_raster(file), scenes.labels(scene), scenes.grid(scene)
        if raster.grid != grid:
            raise InputError(f"{file}: lies on another grid than the scene; predict it again")
        low, high = (float(end) for end in (raster.array[0].min(), raster.array[0].max()))
        if not (low >= 0 and high <= 1):  # nor NaN
            raise InputError(
                f"{file}: probabilities from {low:g} to {high:g}, wanted 0 to 1; `skred predict` makes them"
            )
        spread = raster.band("spread") if "spread" in raster.names else None
        yield scene, raster.array[0], spread, labels, grid
