"""Scores as a function of the days after the event: one model on composites of the first days, the first weeks, all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from skred.core.errors import InputError

_SCORES = ("mcc", "mcc_low", "mcc_high", "auprc", "precision", "recall", "f1")
_SHARES = ("seen_share", "seen_landslide_share")
_WHY = ("blocks", "landslides", "no_interval")
_OBJECTS = ("recall", "precision", "false_alarms_per_100km2")


def days_table(cells: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A line for each `scores.json` of cells whose composites were limited: setting, detector, days, simulated, the
    scores of ``unseen`` (of the event it was trained on, a model has seen the storm), shares that were seen,
    and whole landslides as ``landslides_found``, ``detections_right``, ``false_alarms_per_100km2``. Sorted.

    Raises
    ------
    InputError
        A composite was not limited, no unseen event was scored, or the same days are there twice.
    """
    rows = []
    for cell in cells:
        if "post_days" not in cell:
            raise InputError(f"cell {cell['cell']}: its composite has all days; make it with --post-days")
        if "unseen" not in cell:
            raise InputError(f"cell {cell['cell']}: no unseen event was scored; name one in --whole of evaluate")
        section = cell["unseen"]
        keys = {"setting": cell["setting"], "detector": cell["detector"], "days": cell["post_days"]}
        found, right, alarms = (section.get("objects", {}).get(name) for name in _OBJECTS)
        numbers = {name: section.get(name) for name in (*_SCORES, *_SHARES, *_WHY)}
        whole = {"landslides_found": found, "detections_right": right, "false_alarms_per_100km2": alarms}
        rows.append({**keys, "simulated": cell["simulated"], **numbers, **whole})
    table = pd.DataFrame(rows).sort_values(["setting", "detector", "days"], ignore_index=True)
    twice = table[table.duplicated(["setting", "detector", "days"])]
    if len(twice):
        first = twice.iloc[0]
        raise InputError(f"{first['setting']} with {first['detector']}: {first['days']} days are there twice")
    return table


def unit_of(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> int:
    """The minimum mapping unit (pixels) of all cells of a `compare.json`.

    Raises
    ------
    InputError
        It has none.
    """
    for detectors in table.values():
        for entry in detectors.values():
            if "unit_px" in (objects := entry.get("held_out", entry).get("objects", {})):
                return int(objects["unit_px"])
    raise InputError("the comparison has no whole objects, so no minimum mapping unit; run the compare stage again")


def days_metrics(table: pd.DataFrame) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """``{setting: {detector: {"day_07": {score: value}}}}``, so that a diff between commits reads in order."""
    out: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for row in table.to_dict("records"):
        setting, detector, days = str(row.pop("setting")), str(row.pop("detector")), int(row.pop("days"))
        numbers = {str(key): None if pd.isna(value) else value for key, value in row.items()}
        if numbers.get("no_interval") is None:
            numbers.pop("no_interval", None)
        out.setdefault(setting, {}).setdefault(detector, {})[f"day_{days:02d}"] = numbers
    return out


def days_curves(table: pd.DataFrame) -> pd.DataFrame:
    """For a figure, a line a point: setting, detector, simulated, days, what (``MCC``, ``landslides found``,
    ``seen``), value."""
    names = {"mcc": "MCC", "landslides_found": "landslides found", "seen_share": "seen"}
    keys = ["setting", "detector", "simulated", "days"]
    long = table.rename(columns=names).melt(keys, list(names.values()), "what", "value")
    return long.dropna(subset="value").reset_index(drop=True)
