"""`metrics/compare.json`: all cells in one small table, settings by detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skred.core.errors import InputError
from skred.scores.headline import alarm_rate, whole_objects
from skred.scores.objects import COUNTS, object_scores
from skred.scores.params import ScoreParams
from skred.scores.report import rounded

Entry = dict[str, Any]
Table = dict[str, dict[str, Entry]]

_MARKS = ("simulated", "trained_on_simulated", "training", "threshold")
_SCORES = ("precision", "recall", "f1", "mcc", "iou", "auprc")
_ENDS = ("mcc_low", "mcc_high", "no_interval")
_MORE_ENDS = tuple(f"{name}_{end}" for name in ("precision", "recall", "f1", "auprc") for end in ("low", "high"))
_SIZES = ("pixels", "landslide_pixels", "landslides", "blocks")
_OBJECTS = (
    "recall",
    "recall_low",
    "recall_high",
    "recall_touched",
    "precision",
    "precision_low",
    "precision_high",
    "f1",
)
_ALARMS = ("false_alarms_per_100km2", "false_alarms_per_100km2_low", "false_alarms_per_100km2_high")
_CALIBRATION = ("ece", "ece_from_0.1", "brier")
_OPTIMISM = ("precision", "recall", "f1", "mcc", "auprc")


def common_unit(objects: Sequence[pd.DataFrame]) -> int:
    """The minimum mapping unit (pixels) for all cells: the one with the largest mean F1 of whole objects on validation,
    the smallest of equals. `objects` are the tables `objects.csv`."""
    scores: dict[int, list[float]] = {}
    for table in objects:
        for unit, rows in table[table["role"] == "validation"].groupby("unit_px"):
            counts = {name: int(rows[name].sum()) for name in COUNTS}
            scores.setdefault(int(unit), []).append(float(object_scores(counts)["f1"] or 0.0))
    return min(scores, key=lambda unit: (-float(np.mean(scores[unit])), unit)) if scores else 1


def at_common_unit(
    cell: Mapping[str, Any], unit_px: int, objects: pd.DataFrame, chance: pd.DataFrame, params: ScoreParams
) -> Entry:
    """The `scores.json` of a cell with its whole objects and false alarms at another minimum mapping unit, from its
    ``objects.csv`` and ``chance.csv``. How far the members of an ensemble are apart is known at the cell's own unit
    alone and is kept with it (`spread`)."""
    out = dict(cell)
    at, by_chance = objects[objects["unit_px"] == unit_px], chance[chance["unit_px"] == unit_px].set_index("role")
    for role, regions in (("test", ["test"]), ("unseen", ["unseen"]), ("held_out", ["test", "unseen"])):
        section = out if role == "test" else out.get(role, {})
        if "objects" not in section:
            continue
        whole = whole_objects(at[at["role"].isin(regions)], params)
        moved = {key: None if pd.isna(v) else float(v) for key, v in by_chance.loc[role].drop("unit_px").items()}
        changed = {**section, "objects": {"unit_px": unit_px, **whole, "chance": moved} | _spread(section["objects"])}
        out = changed if role == "test" else out | {role: changed}
    if "control" in out:
        rows = at[at["role"] == "control"]
        kept = {name: value for name, value in out["control"].items() if name != "no_interval"}
        out["control"] = {**kept, "unit_px": unit_px, **alarm_rate(rows, params)}
    return out


def _spread(own: Mapping[str, Any]) -> Entry:
    if "spread_right" not in own:
        return {}
    return {"spread": {"unit_px": own["unit_px"], "right": own["spread_right"], "false": own["spread_false"]}}


def optimism_table(table: Table) -> pd.DataFrame:
    """How much a random split flatters, for a figure: setting, detector, simulated, score, split, value."""
    keys = ("setting", "detector", "simulated", "score", "split", "value")
    rows = [
        dict(zip(keys, (setting, detector, entry["simulated"], score, split, part[score]), strict=True))
        for setting, detectors in table.items()
        for detector, entry in detectors.items()
        if "random" in entry
        for score in _OPTIMISM
        for split, part in (("blocks", entry), ("random", entry["random"]))
    ]
    return pd.DataFrame(rows, columns=list(keys))


def compare_cells(cells: Sequence[Mapping[str, Any]]) -> Table:
    """``{setting: {detector: {...}}}`` from the `scores.json` of all cells.

    A cell trained on a random split stands under ``random`` of the same setting and detector, and under ``optimism`` by
    how much its scores exceed those of the blocked one. Cells that differ in their training seed alone become one, with
    the means of their numbers and the smallest and largest MCC over seeds.

    Raises
    ------
    InputError
        Two cells with the same setting, detector, seed and kind of split; or a random one without its blocked partner.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in cells:
        if cell["split"] != "random":
            others = groups.setdefault((cell["setting"], cell["detector"]), [])
            if any(other.get("seed") == cell.get("seed") for other in others):
                raise InputError(f"cell {cell['cell']}: {cell['setting']} with {cell['detector']} is there twice")
            others.append(cell)
    table: Table = {}
    for (setting, detector), group in groups.items():
        table.setdefault(setting, {})[detector] = _over_seeds([_entry(cell) for cell in group])
    for cell in cells:
        if cell["split"] == "random":
            partner = table.get(cell["setting"], {}).get(cell["detector"])
            if partner is None or "random" in partner:
                raise InputError(f"cell {cell['cell']}: wanted exactly one blocked and one random cell of its kind")
            partner["random"] = {key: cell[key] for key in (*_MARKS, *_SCORES, *_SIZES[:2])}
            partner["optimism"] = {
                key: None if cell[key] is None or partner[key] is None else cell[key] - partner[key]
                for key in _OPTIMISM
            }
    return dict(rounded(table))


def _entry(cell: Mapping[str, Any]) -> Entry:
    entry: Entry = {key: cell[key] for key in _MARKS} | _section(cell, whole="held_out" not in cell)
    for name in ("unseen", "held_out"):
        if name in cell:
            entry[name] = _section(cell[name], whole=name == "held_out")
    if "control" in cell:
        entry["control"] = {key: cell["control"][key] for key in (*_ALARMS, "false_alarms", "area_km2")}
        entry["control"] |= {
            key: cell["control"][key] for key in ("unit_px", "simulated", "no_interval") if key in cell["control"]
        }
    if "truth" in cell:
        entry["truth"] = cell["truth"]
    if "calibration" in cell:
        entry["calibration"] = _calibration(cell["calibration"])
    return entry


def _calibration(own: Mapping[str, Any]) -> Entry:
    """Its kind, and for each region how far probabilities are from what came true, raw beside calibrated:
    ``{"kind": ..., "test": {"ece_raw": ..., "ece_calibrated": ..., ...}, "unseen": {...}}``."""
    regions = {name: own[name] for name in ("test", "unseen") if name in own}
    return {"kind": own["kind"]} | {
        region: {f"{score}_{name}": part[name][score] for score in _CALIBRATION for name in part}
        for region, part in regions.items()
    }


def _section(scores: Mapping[str, Any], *, whole: bool) -> Entry:
    """The scores of one region. The largest region of a cell is `whole`: it has whole objects and the intervals of all
    headline scores, the others have that of MCC alone."""
    names = (*_SCORES, *_ENDS, *(_MORE_ENDS if whole else ()), *_SIZES)
    section = {key: scores[key] for key in names if key in scores}
    if "simulated" in scores:
        section["simulated"] = scores["simulated"]
    if "observable" in scores:
        section["observable"] = {key: scores["observable"][key] for key in (*_SCORES, *_SIZES[:2])}
    if whole and "objects" in scores:
        objects = scores["objects"]
        section["objects"] = {"unit_px": objects["unit_px"]} | {key: objects[key] for key in _OBJECTS}
        section["objects"] |= {"spread": objects["spread"]} if "spread" in objects else {}
        section["objects"] |= {"no_interval": objects["no_interval"]} if "no_interval" in objects else {}
        section["objects"] |= {f"chance_{key}": value for key, value in objects.get("chance", {}).items()}
    if "truth" in scores and "cell" not in scores:
        section["truth"] = scores["truth"]
    return section


def _over_seeds(entries: Sequence[Entry]) -> Entry:
    if len(entries) == 1:
        return entries[0]
    mean: Entry = _mean(entries) | {"seeds": len(entries)} | _range([entry["mcc"] for entry in entries])
    for region in ("unseen", "held_out"):
        if region in mean:
            mean[region] |= _range([entry[region]["mcc"] for entry in entries])
    return mean


def _range(mcc: Sequence[float | None]) -> Entry:
    known = [value for value in mcc if value is not None]
    return {"mcc_smallest": min(known, default=None), "mcc_largest": max(known, default=None)}


def _mean(values: Sequence[Any]) -> Any:
    first = values[0]
    if isinstance(first, Mapping):
        # intervals of one seed say nothing about the mean of several: skred.scores.seeds takes those
        own = ("_low", "_high", "no_interval")
        keys = [key for key in first if all(key in v for v in values) and not key.endswith(own)]
        return {key: _mean([v[key] for v in values]) for key in keys}
    if any(isinstance(v, bool | str) or v is None for v in values):
        return first if all(v == first for v in values) else None
    return float(np.mean(values)) if len(set(values)) > 1 else first
