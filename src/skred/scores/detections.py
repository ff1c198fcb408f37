"""One line per detection: how sure the model is of it, and how far its members agree where there are several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from skred.scores.gather import CODES, Region, ScenePart
from skred.scores.objects import SceneObjects

SPREAD = "mean_spread"
COLUMNS = ("role", "event", "scene", "row", "col", "pixels", "mean_probability", SPREAD, "right", "false")


def detections_of(parts: Sequence[ScenePart], scenes: Sequence[SceneObjects]) -> pd.DataFrame:
    """The detections of all scenes `at_unit` that lie in a region: `COLUMNS`, sorted by role, event, scene, number.

    `row` and `col` are the centre in pixels; means are over the detection's pixels, `mean_spread` of the standard
    deviation between members of an ensemble. Without an ensemble there is no such column.
    """
    tables = [
        _of_scene(part, scene, region, code)
        for region, code in CODES.items()
        for part, scene in zip(parts, scenes, strict=True)
    ]
    columns = [name for name in COLUMNS if name != SPREAD or any(part.spread is not None for part in parts)]
    return pd.concat(tables, ignore_index=True).reindex(columns=columns)


def _of_scene(part: ScenePart, scene: SceneObjects, region: Region, code: int) -> pd.DataFrame:
    table = scene.detections[scene.detections["region"] == code]
    numbers = table["number"].to_numpy()
    centers = np.array(ndimage.center_of_mass(scene.detection_raster > 0, scene.detection_raster, numbers))
    row, col = centers.reshape(-1, 2).T
    columns: Mapping[str, Any] = {
        "role": region,
        "event": part.event,
        "scene": part.scene,
        "row": row,
        "col": col,
        "pixels": table["pixels"].to_numpy(),
        "mean_probability": _mean(part.probability, scene, numbers),
        "right": table["right"].to_numpy(),
        "false": table["false"].to_numpy(),
    }
    found = pd.DataFrame(columns, index=range(len(table)))
    return found if part.spread is None else found.assign(**{SPREAD: _mean(part.spread, scene, numbers)})


def _mean(values: NDArray[np.float32], scene: SceneObjects, numbers: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(ndimage.mean(values.astype(np.float64), scene.detection_raster, numbers), np.float64)


def spread_scores(detections: pd.DataFrame, regions: Sequence[str]) -> dict[str, float | None]:
    """Mean spread of the right and of the false detections of some regions; empty without an ensemble."""
    if SPREAD not in detections:
        return {}
    chosen = detections[detections["role"].isin(regions)]
    means = {f"spread_{kind}": chosen.loc[chosen[kind].astype(bool), SPREAD].mean() for kind in ("right", "false")}
    return {name: None if pd.isna(value) else float(value) for name, value in means.items()}
