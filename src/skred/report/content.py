"""What the page says in words and tables, from scores, model cards and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skred.detectors.model import ModelCard
from skred.report.charts import interval, number
from skred.report.scores import DETECTORS, Scored

_ROLES = {"develop": "training and test blocks", "unseen": "never learnt from", "control": "no landslides"}
_NARROW = ("F1", "MCC", "F1 unseen", "false / 100 km²")  # columns that a phone has room for


def lead(cells: Sequence[Scored], events: Sequence[Mapping[str, Any]]) -> str:
    """What this is, in two sentences."""
    settings = len({cell.scores["setting"] for cell in cells})
    detectors = " and ".join(dict.fromkeys(_detector(cell) for cell in cells))
    kind = "simulated storms" if all(event["simulated"] for event in events) else "storms"
    return (
        f"{detectors} learn from Sentinel-1 radar and Sentinel-2 optical images of the month before and the month "
        f"after a storm; {settings} settings of bands are compared on {len(events)} {kind}. "
        "Look at the maps first, then at the scores."
    )


def glance(cells: Sequence[Scored]) -> list[dict[str, str]]:
    """The answers that a person asks for first."""
    ranked = sorted(cells, key=lambda cell: -(cell.scores["f1"] or 0.0))
    best, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    scores = best.scores
    ends = interval(scores, "f1")
    cards = [
        {
            "big": best.name,
            "what": f"has the highest F1 on the test blocks: {number(scores['f1'])}{_ends(ends)}",
            "more": ""
            if second is None
            else f"{number((scores['f1'] or 0) - (second.scores['f1'] or 0))} more than {second.name}"
            + ("" if ends else "; no interval, so this may be chance"),
        },
        {
            "big": number(scores["mcc"]),
            "what": "is its MCC on the test blocks",
            "more": f"precision {number(scores['precision'])}, recall {number(scores['recall'])}",
        },
    ]
    if "unseen" in scores:
        unseen = scores["unseen"]
        cards.append(
            {
                "big": number(unseen["f1"]),
                "what": "is its F1 on the unseen event",
                "more": f"precision {number(unseen['precision'])}, recall {number(unseen['recall'])}",
            }
        )
    if "control" in scores and scores["control"]["false_alarms_per_100km2"] is not None:
        control = scores["control"]
        cards.append(
            {
                "big": f"{control['false_alarms_per_100km2']:.0f} per 100 km²",
                "what": "false alarms where nothing slid",
                "more": f"{control['false_alarms']} on {control['area_km2']:.0f} km²"
                + (", before the minimum mapping unit" if "unit_px" not in control else ""),
            }
        )
    return cards


def event_rows(events: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The table of events."""
    rows = []
    for event in events:
        grid = event["grid"]
        lon, lat = grid["center"]
        area = grid["width"] * grid["height"] * grid["resolution_m"] ** 2 / 1e6
        rows.append(
            {
                "name": event["name"],
                "role": _ROLES.get(event["role"], "imported"),
                "place": f"{abs(lat):.2f}° {'N' if lat >= 0 else 'S'} {abs(lon):.2f}° {'E' if lon >= 0 else 'W'}",
                "day": event["about"].get("date", "–"),
                "km2": f"{area:.0f}",
                "known": str(len(event["known"])),
            }
        )
    return rows


def setting_rows(cards: Sequence[ModelCard]) -> list[dict[str, str]]:
    """The bands of every setting."""
    return [
        {"name": name, "bands": ", ".join(card.inputs.names)} for name, card in {c.setting: c for c in cards}.items()
    ]


def score_table(cells: Sequence[Scored], comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Heads and cells of the score table, each with whether it needs a wide screen; columns that no cell has are left
    out."""
    best = max(cells, key=lambda cell: cell.scores["f1"] or 0.0)
    columns: dict[str, list[str]] = {name: [] for name in ("precision", "recall", "F1", "MCC", "AUPRC")}
    columns |= {"F1 unseen": [], "landslides found": [], "false / 100 km²": [], "F1 random split": []}
    for cell in cells:
        scores = cell.scores
        for head in ("precision", "recall", "F1", "MCC", "AUPRC"):
            columns[head].append(_with_ends(scores, head.lower()))
        columns["F1 unseen"].append(_with_ends(scores.get("unseen", {}), "f1"))
        columns["landslides found"].append(_with_ends(scores.get("objects", {}), "recall"))
        rate = scores.get("control", {}).get("false_alarms_per_100km2")
        columns["false / 100 km²"].append(number(rate, 0))
        entry = comparison.get(scores["setting"], {}).get(scores["detector"], {})
        columns["F1 random split"].append(number(entry.get("random", {}).get("f1")))
    columns = {head: values for head, values in columns.items() if any(value != "–" for value in values)}
    return {
        "heads": [("setting", False), ("detector", False), *((head, head not in _NARROW) for head in columns)],
        "rows": [
            {
                "best": cell is best,
                "setting": cell.scores["setting"],
                "detector": _detector(cell),
                "cells": [(values[i], head not in _NARROW) for head, values in columns.items()],
            }
            for i, cell in enumerate(cells)
        ],
    }


def has_intervals(cells: Sequence[Scored]) -> bool:
    return any(interval(cell.scores, "f1") is not None for cell in cells)


def _with_ends(scores: Mapping[str, Any], name: str) -> str:
    return number(scores.get(name)) + _ends(interval(scores, name))


def _ends(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" [{ends[0]:.2f}–{ends[1]:.2f}]"


def _detector(cell: Scored) -> str:
    name = str(cell.scores["detector"])
    return DETECTORS.get(name, name)
