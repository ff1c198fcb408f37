"""What a false alarm lies on, where the simulated world says so.

A truth raster may have a band ``confounder`` (uint8, 0 for none) and a tag ``confounders`` with the names of its codes,
such as ``1=mown,2=felled``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skred.core.errors import InputError
from skred.core.raster import read_raster
from skred.scores.objects import SceneObjects, majority

NONE = "none"
_BAND, _TAG = "confounder", "confounders"


@dataclass(frozen=True)
class Confounders:
    """Codes, shape (H, W), 0 for none, and the names of the others."""

    codes: NDArray[np.uint8]
    names: dict[int, str]


def read_confounders(path: Path) -> Confounders | None:
    """The confounders of a truth raster, None where it has none.

    Raises
    ------
    InputError
        A code on the raster has no name in the tag.
    """
    raster = read_raster(path)
    if _BAND not in raster.names:
        return None
    pairs = [part.split("=", 1) for part in raster.tags.get(_TAG, "").split(",") if "=" in part]
    names = {int(code): name.strip() for code, name in pairs}
    codes = raster.band(_BAND).astype(np.uint8)
    nameless = sorted(set(np.unique(codes).tolist()) - {0} - set(names))
    if nameless:
        raise InputError(f"{path}: confounder {nameless[0]} has no name in the tag {_TAG!r}; make the truth again")
    return Confounders(codes, names)


def false_by_confounder(
    scene: SceneObjects, region: int, confounders: Confounders, overlap_share: float
) -> dict[str, int]:
    """False detections of a region of a scene `at_unit`, by what they lie on: the confounder with the most pixels, or
    ``none`` where confounders are less than `overlap_share` of the detection. It is the rule by which a landslide is
    found: a large detection that only touches a mown meadow is not the meadow's."""
    false = scene.detections[scene.detections["false"] & (scene.detections["region"] == region)]
    marked = (confounders.codes > 0) & (scene.detection_raster > 0)
    numbers = scene.detection_raster[marked]
    places, inverse, pixels = np.unique(numbers, return_inverse=True, return_counts=True)
    codes = majority(inverse + 1, confounders.codes[marked], len(places))
    known = {place: (code, n) for place, code, n in zip(places.tolist(), codes.tolist(), pixels.tolist(), strict=True)}
    counts = dict.fromkeys([*confounders.names.values(), NONE], 0)
    for number, size in zip(false["number"], false["pixels"], strict=True):
        code, covered = known.get(number, (0, 0))
        counts[confounders.names[code] if covered and covered >= overlap_share * size else NONE] += 1
    return counts


def pixels_by_confounder(known: NDArray[np.bool_], confounders: Confounders) -> dict[str, int]:
    """How many of the `known` pixels (H, W) each confounder covers, and ``none``."""
    pixels = np.bincount(confounders.codes[known], minlength=256)
    return {name: int(pixels[code]) for code, name in [*confounders.names.items(), (0, NONE)]}
