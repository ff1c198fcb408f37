"""Whole landslides and detections of a cell: at every minimum mapping unit, and in full at the one that was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skred.scores.blocks import block_keys
from skred.scores.chance import Moved, draw_shifts, move
from skred.scores.confounders import false_by_confounder, pixels_by_confounder
from skred.scores.detections import detections_of, spread_scores
from skred.scores.gather import CODES, Region, ScenePart
from skred.scores.headline import alarm_rate, whole_objects
from skred.scores.objects import (
    COUNTS,
    SceneObjects,
    at_unit,
    best_unit,
    boundary_distance_px,
    count_objects,
    count_per_block,
    recall_by_size,
)
from skred.scores.params import ScoreParams


@dataclass(frozen=True)
class ObjectReport:
    """`unit_px` was chosen on validation. `blocks` has the counts per block at every unit (`objects.csv`), `chance` the
    recall by chance per role at every unit, `sections` the scores per role at `unit_px`, `detections` a line for each
    detection there (`skred.scores.detections`)."""

    unit_px: int
    blocks: pd.DataFrame
    chance: pd.DataFrame
    sections: dict[str, dict[str, Any]]
    sizes: pd.DataFrame  # recall by class of area, per role, at `unit_px`
    detections: pd.DataFrame


def report_objects(parts: Sequence[ScenePart], pooled: bool, params: ScoreParams) -> ObjectReport:
    """Object scores of all regions; `pooled` adds ``held_out``, the test blocks and the unseen events together."""
    by_unit = {unit: [at_unit(p.objects, unit, params.overlap_share) for p in parts] for unit in params.units_px}
    unit = best_unit({unit: count_objects(scenes, CODES["validation"]) for unit, scenes in by_unit.items()})
    blocks = pd.concat([_per_block(parts, scenes, unit) for unit, scenes in by_unit.items()], ignore_index=True)
    moved = {
        (region, candidate): _moved(parts, scenes, region, params)
        for candidate, scenes in by_unit.items()
        for region in ("test", "unseen")
    }
    roles: dict[str, tuple[Region, ...]] = {
        region: (region,)
        for region, code in CODES.items()
        if region != "validation" and any(np.any(part.regions == code) for part in parts)
    }
    if pooled:
        roles["held_out"] = ("test", "unseen")
    chance = [
        {"unit_px": candidate, "role": role, **_summed(moved, regions, candidate)}
        for candidate in params.units_px
        for role, regions in roles.items()
        if role != "control"
    ]
    sections, sizes = {}, []
    detections = detections_of(parts, by_unit[unit])
    for role, regions in roles.items():
        sections[role] = _section(parts, by_unit[unit], regions, blocks[blocks["unit_px"] == unit], params)
        sections[role] |= spread_scores(detections, regions)
        if role != "control":
            sections[role]["chance"] = _summed(moved, regions, unit)
            sizes += [{"role": role, "size": name, **row} for name, row in sections[role].get("by_size", {}).items()]
    table = pd.DataFrame(sizes, columns=["role", "size", "landslides", "found", "touched"])
    return ObjectReport(unit, blocks, pd.DataFrame(chance), sections, table, detections)


def _per_block(parts: Sequence[ScenePart], scenes: Sequence[SceneObjects], unit_px: int) -> pd.DataFrame:
    tables = []
    for part, scene in zip(parts, scenes, strict=True):
        for region, code in CODES.items():
            ids, pixels = np.unique(part.blocks[part.known(region)], return_counts=True)
            if not len(ids):
                continue
            counts = count_per_block(scene, code)
            assert counts.index.isin(ids).all()  # noqa: S101 - what lay in another block would be dropped
            table = counts.reindex(ids, fill_value=0)
            names = block_keys(ids, part.per_row, role=region, event=part.event, scene=part.scene)
            keys = {"unit_px": unit_px, **names}
            area = pixels * part.grid.resolution_m**2 / 1e6
            tables.append(pd.DataFrame({**keys, **{name: table[name].to_numpy() for name in COUNTS}, "area_km2": area}))
    return pd.concat(tables, ignore_index=True)


def _moved(parts: Sequence[ScenePart], scenes: Sequence[SceneObjects], region: Region, params: ScoreParams) -> Moved:
    none = np.zeros(params.chance_shifts, np.int64)
    total = Moved(none, none, none)
    for part, scene in zip(parts, scenes, strict=True):
        wanted = scene.landslides["number"][scene.landslides["region"] == CODES[region]]
        if not len(wanted):
            continue
        numbers = np.where(np.isin(scene.landslide_raster, wanted), scene.landslide_raster, 0)
        shifts = draw_shifts(numbers, params.chance_shifts, params.seed)
        total += move(scene.detection_raster > 0, part.known(region), numbers, shifts, params.overlap_share)
    return total


def _summed(moved: dict[Any, Moved], regions: Sequence[Region], unit_px: int) -> dict[str, float | None]:
    first, *others = (moved[region, unit_px] for region in regions)
    return sum(others, first).summary()


def _section(
    parts: Sequence[ScenePart],
    scenes: Sequence[SceneObjects],
    regions: Sequence[Region],
    blocks: pd.DataFrame,
    params: ScoreParams,
) -> dict[str, Any]:
    chosen = blocks[blocks["role"].isin(regions)]
    control = list(regions) == ["control"]
    section = alarm_rate(chosen, params) if control else whole_objects(chosen, params)
    if parts[0].pixel_ha is None:  # an image without a place has no area
        section = {name: value for name, value in section.items() if "km2" not in name}
    confounders = _by_confounder(parts, scenes, regions, params.overlap_share)
    if confounders:
        section["false_alarms_by_confounder"] = confounders
    if control:
        return section
    if (pixel_ha := parts[0].pixel_ha) is not None:
        tables = [recall_by_size(scenes, CODES[region], pixel_ha) for region in regions]
        section["by_size"] = {
            size: {name: sum(table[size][name] for table in tables) for name in row} for size, row in tables[0].items()
        }
        away = [
            px * part.grid.resolution_m
            for part, scene in zip(parts, scenes, strict=True)
            for region in regions
            for px in boundary_distance_px(scene, CODES[region])
        ]
        section["boundary_distance_m"] = float(np.mean(away)) if away else None
    return section


def _by_confounder(
    parts: Sequence[ScenePart], scenes: Sequence[SceneObjects], regions: Sequence[Region], overlap_share: float
) -> dict[str, dict[str, float]]:
    """By what false alarms lie on: how many, how many per 100 km² of all known pixels (their sum is the rate), and the
    share of those pixels that the confounder covers: the share of false alarms that it would have by chance."""
    false: Counter[str] = Counter()
    pixels: Counter[str] = Counter()
    area_km2 = 0.0
    for part, scene in zip(parts, scenes, strict=True):
        if part.confounders is None:
            continue
        for region in regions:
            known = part.known(region)
            false.update(false_by_confounder(scene, CODES[region], part.confounders, overlap_share))
            pixels.update(pixels_by_confounder(known, part.confounders))
            area_km2 += int(known.sum()) * part.grid.resolution_m**2 / 1e6
    total = sum(pixels.values())
    return {
        name: {
            "false_alarms": false[name],
            "per_100km2": 100 * false[name] / area_km2,
            "area_share": pixels[name] / total,
        }
        for name in sorted(false)
        if total and (false[name] or pixels[name])
    }
