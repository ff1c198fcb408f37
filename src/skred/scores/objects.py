"""Scores of whole landslides and whole detections instead of pixels.

A landslide is a connected region of the labels, a detection one of the prediction (pixels that touch at a corner belong
together). Both belong to the region of the scene where most of their known pixels lie, in it to the block where most of
these lie, and keep their whole body. A detection without a known pixel is not judged. A minimum mapping unit, in
pixels, drops smaller detections, never landslides.

- A landslide is *found* when detections cover at least `overlap_share` of it, *touched* when they share a pixel.
- A detection is *right* when at least `overlap_share` of its known pixels are landslide, *false* when none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.scenes import LANDSLIDE, UNKNOWN
from skred.patches.split import EIGHT

# Classes of area in hectares, those by which geological surveys report
SIZE_EDGES_HA = (0.1, 0.25, 0.5, 1.0)
SIZE_NAMES = ("under_0.1_ha", "0.1-0.25_ha", "0.25-0.5_ha", "0.5-1_ha", "from_1_ha")


@dataclass(frozen=True)
class SceneObjects:
    """The landslides and detections of one scene.

    `landslides` has the columns number, pixels, region, block; `detections` the same (block -1: not judged) and known
    (pixels), landslide (pixels); `pairs` landslide, detection, pixels shared. The rasters hold their numbers, 0 where
    there is none.
    """

    landslides: pd.DataFrame
    detections: pd.DataFrame
    pairs: pd.DataFrame
    landslide_raster: NDArray[np.int32]
    detection_raster: NDArray[np.int32]


def find_objects(
    predicted: NDArray[np.bool_], labels: NDArray[np.uint8], regions: NDArray[np.uint8], blocks: NDArray[np.int32]
) -> SceneObjects:
    """The objects of a scene; all arrays have shape (H, W). `regions` are codes, 0 for what is not scored."""
    labelled = labels != UNKNOWN
    truth, n_truth = ndimage.label(labels == LANDSLIDE, EIGHT, output=np.int32)
    found, n_found = ndimage.label(predicted, EIGHT, output=np.int32)
    detections = _table(found, n_found, regions, blocks, labelled)
    detections["known"] = np.bincount(found[labelled], minlength=n_found + 1)[1:]
    detections["landslide"] = np.bincount(found[labels == LANDSLIDE], minlength=n_found + 1)[1:]
    both = (truth > 0) & (found > 0)
    key, pixels = np.unique(truth[both].astype(np.int64) * (n_found + 1) + found[both], return_counts=True)
    pairs = pd.DataFrame({"landslide": key // (n_found + 1), "detection": key % (n_found + 1), "pixels": pixels})
    return SceneObjects(_table(truth, n_truth, regions, blocks, labelled), detections, pairs, truth, found)


def _table(
    numbers: NDArray[np.int32],
    count: int,
    regions: NDArray[np.uint8],
    blocks: NDArray[np.int32],
    labelled: NDArray[np.bool_],
) -> pd.DataFrame:
    inside = numbers > 0
    counted = inside & labelled
    region = majority(numbers[counted], regions[counted], count)  # -1: not judged
    # its own region's labelled pixels alone: blocks without one are not scored, and would lose it
    counted[counted] = regions[counted] == region[numbers[counted] - 1]
    return pd.DataFrame(
        {
            "number": np.arange(1, count + 1),
            "pixels": np.bincount(numbers[inside], minlength=count + 1)[1:],
            "region": region,
            "block": majority(numbers[counted], blocks[counted], count),
        }
    )


def majority(numbers: NDArray[Any], values: NDArray[Any], count: int) -> NDArray[np.int64]:
    """The most frequent value of each object 1..count, shape (count,); on a tie the smaller one, -1 without any."""
    size = int(values.max(initial=0)) + 1
    key, pixels = np.unique(numbers.astype(np.int64) * size + values, return_counts=True)
    number, value = key // size, key % size
    order = np.lexsort((value, -pixels, number))
    present, first = np.unique(number[order], return_index=True)
    out = np.full(count, -1, np.int64)
    out[present - 1] = value[order][first]
    return out


def at_unit(objects: SceneObjects, unit_px: int, overlap_share: float) -> SceneObjects:
    """The objects when only detections of at least `unit_px` pixels count.

    Landslides get the columns covered (pixels), pieces (detections that touch it), found; detections merged (landslides
    that it touches), right, false.
    """
    kept = objects.detections[objects.detections["pixels"] >= unit_px].copy()
    pairs = objects.pairs[objects.pairs["detection"].isin(kept["number"])]
    landslides = objects.landslides.copy()
    by_landslide, by_detection = pairs.groupby("landslide")["pixels"], pairs.groupby("detection")["pixels"]
    landslides["covered"] = landslides["number"].map(by_landslide.sum()).fillna(0).astype(np.int64)
    landslides["pieces"] = landslides["number"].map(by_landslide.size()).fillna(0).astype(np.int64)
    landslides["found"] = landslides["covered"] >= overlap_share * landslides["pixels"]
    kept["merged"] = kept["number"].map(by_detection.size()).fillna(0).astype(np.int64)
    judged = kept["block"] >= 0  # in the unknown alone: nobody can say
    kept["right"] = judged & (kept["landslide"] > 0) & (kept["landslide"] >= overlap_share * kept["known"])
    kept["false"] = judged & (kept["landslide"] == 0)
    keep = np.zeros(len(objects.detections) + 1, bool)
    keep[kept["number"]] = True
    raster = np.where(keep[objects.detection_raster], objects.detection_raster, 0)
    return SceneObjects(landslides, kept, pairs, objects.landslide_raster, raster)


COUNTS = ("landslides", "found", "touched", "split", "detections", "right", "touching", "merging", "false")


def count_objects(scenes: Sequence[SceneObjects], region: int) -> dict[str, int]:
    """Counts (`COUNTS`) of a region over scenes `at_unit`. Counts of tiles or scenes add up."""
    table = pd.concat([count_per_block(scene, region) for scene in scenes]) if scenes else pd.DataFrame(columns=COUNTS)
    return {name: int(table[name].sum()) for name in COUNTS}


def count_per_block(scene: SceneObjects, region: int) -> pd.DataFrame:
    """Counts (`COUNTS`) of a region of a scene `at_unit`, by block (the index)."""
    landslides = scene.landslides[scene.landslides["region"] == region]
    judged = scene.detections["block"] >= 0
    detections = scene.detections[(scene.detections["region"] == region) & judged]
    columns = {
        "landslides": landslides.groupby("block").size(),
        "found": landslides.groupby("block")["found"].sum(),
        "touched": (landslides["pieces"] > 0).groupby(landslides["block"]).sum(),
        "split": (landslides["pieces"] > 1).groupby(landslides["block"]).sum(),
        "detections": detections.groupby("block").size(),
        "right": detections.groupby("block")["right"].sum(),
        "touching": (detections["landslide"] > 0).groupby(detections["block"]).sum(),
        "merging": (detections["merged"] > 1).groupby(detections["block"]).sum(),
        "false": detections.groupby("block")["false"].sum(),
    }
    return pd.DataFrame(columns, columns=list(COUNTS)).fillna(0).astype(np.int64)


def object_scores(counts: dict[str, int]) -> dict[str, float | int | None]:
    """Recall and precision of whole objects, and their harmonic mean; None where counts do not define one."""
    recall = _ratio(counts["found"], counts["landslides"])
    precision = _ratio(counts["right"], counts["detections"])
    f1 = None
    if recall is not None and precision is not None:
        f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    return {
        "landslides": counts["landslides"],
        "recall": recall,
        "recall_touched": _ratio(counts["touched"], counts["landslides"]),
        "detections": counts["detections"],
        "precision": precision,
        "precision_touching": _ratio(counts["touching"], counts["detections"]),
        "f1": f1,
        "split_share": _ratio(counts["split"], counts["landslides"]),
        "merging_share": _ratio(counts["merging"], counts["detections"]),
    }


def best_unit(by_unit: dict[int, dict[str, int]]) -> int:
    """The minimum mapping unit with the largest F1 of whole objects, the smallest of equals; the smallest where none is
    defined. On validation counts only, the one rule for every detector."""
    scores = {unit: object_scores(counts)["f1"] or 0.0 for unit, counts in by_unit.items()}
    return min(scores, key=lambda unit: (-scores[unit], unit))


def recall_by_size(scenes: Sequence[SceneObjects], region: int, pixel_ha: float) -> dict[str, dict[str, int]]:
    """Landslides, found and touched ones of a region, by class of area (`SIZE_NAMES`)."""
    chosen = pd.concat([s.landslides[s.landslides["region"] == region] for s in scenes], ignore_index=True)
    # a pixel's area is no exact binary fraction: 10 pixels of 0.01 ha are 0.1 ha
    sizes = np.digitize(np.round(chosen["pixels"] * pixel_ha, 9), SIZE_EDGES_HA)
    return {
        name: {
            "landslides": int((sizes == i).sum()),
            "found": int(chosen["found"][sizes == i].sum()),
            "touched": int((chosen["pieces"][sizes == i] > 0).sum()),
        }
        for i, name in enumerate(SIZE_NAMES)
    }


def boundary_distance_px(scene: SceneObjects, region: int) -> list[float]:
    """For each found landslide, the mean distance between its outline and that of the detections that touch it, over
    both directions (average symmetric surface distance, Heimann et al. 2009), in pixels."""
    out = []
    boxes, found_boxes = ndimage.find_objects(scene.landslide_raster), ndimage.find_objects(scene.detection_raster)
    chosen = scene.landslides[(scene.landslides["region"] == region) & scene.landslides["found"]]
    for number in chosen["number"]:
        touching = scene.pairs.loc[scene.pairs["landslide"] == number, "detection"].to_numpy()
        places = [boxes[number - 1], *(found_boxes[d - 1] for d in touching)]
        box = tuple(slice(min(p[axis].start for p in places), max(p[axis].stop for p in places)) for axis in (0, 1))
        truth = scene.landslide_raster[box] == number
        detected = np.isin(scene.detection_raster[box], touching)
        out.append(_surface_distance(truth, detected))
    return out


def _surface_distance(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    edges = [mask & ~ndimage.binary_erosion(np.pad(mask, 1))[1:-1, 1:-1] for mask in (a, b)]
    away = [ndimage.distance_transform_edt(~edge) for edge in edges]
    return float(np.concatenate([away[1][edges[0]], away[0][edges[1]]]).mean())


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
