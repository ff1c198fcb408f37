"""What the page says in words and tables, from scores, model cards and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skred.detectors.model import ModelCard
from skred.report.charts import interval, number
from skred.report.scores import DETECTORS, Scored, judged_on

_ROLES = {"develop": "training and test blocks", "unseen": "never learnt from", "control": "no landslides"}
_NARROW = ("MCC", "false / 100 km²")  # columns that a phone has room for


def lead(cells: Sequence[Scored], events: Sequence[Mapping[str, Any]]) -> str:
    """What this is, in plain words."""
    settings = len({cell.scores["setting"] for cell in cells})
    detectors = " and ".join(dict.fromkeys(_detector(cell) for cell in cells))
    storms = sum(event["role"] != "control" for event in events)
    told = f"{storms} {'simulated ' if all(event['simulated'] for event in events) else ''}storm{'s' * (storms != 1)}"
    if storms < len(events):
        told += ", and on a place where nothing slid"
    return (
        f"Computer models ({detectors}) draw where the ground slid, from satellite images of the month before and the "
        f"month after a storm: Sentinel-1 radar and Sentinel-2 optical. {settings} choices of bands (settings) are "
        f"compared on {told}. "
        "Look at the maps first, then at the scores."
    )


def glance(cells: Sequence[Scored], differences: Mapping[str, Any]) -> list[dict[str, str]]:
    """The answers that a person asks for first; `differences` is ``differences.json``, empty where there is none."""
    ranked = sorted(cells, key=lambda cell: -(judged_on(cell.scores)[0]["mcc"] or 0.0))
    best, scores = ranked[0], ranked[0].scores
    section, where = judged_on(scores)
    cards = [
        {
            "big": best.name,
            "what": f"has the highest MCC on the {where}: {_with_ends(section, 'mcc')}",
            "more": "" if len(ranked) < 2 else _ahead(best, ranked[1], differences),
        },
        {
            "big": number(section["f1"]),
            "what": "is its F1 there",
            "more": f"precision {number(section['precision'])}, recall {number(section['recall'])}",
        },
    ]
    if "unseen" in scores:
        unseen = scores["unseen"]
        cards.append(
            {
                "big": number(unseen["mcc"]),
                "what": "is its MCC on the unseen event",
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


def _ahead(best: Scored, second: Scored, differences: Mapping[str, Any]) -> str:
    """By how much the best is ahead of the second, with the interval of that difference where it was compared."""
    keys = [f"{cell.scores['setting']}-{cell.scores['detector']}" for cell in (best, second)]
    known = differences.get("differences", {})
    for name, sign in ((" minus ".join(keys), 1), (" minus ".join(reversed(keys)), -1)):
        row = known.get(name)
        if row is not None and row["low"] is not None:
            low, high = sorted((sign * row["low"], sign * row["high"]))
            told = f"{sign * row['difference']:+.2f} [{low:+.2f}, {high:+.2f}] to {second.name}"
            return told + ("" if low > 0 else ", which may be chance")
    first, other = (judged_on(cell.scores)[0]["mcc"] or 0.0 for cell in (best, second))
    return f"{number(first - other)} more than {second.name}; no interval of that, so it may be chance"


def difference_rows(differences: Mapping[str, Any]) -> list[dict[str, str]]:
    """The table of differences of MCC."""
    return [
        {
            "pair": name.replace(" minus ", " − "),
            "difference": "–" if row["difference"] is None else f"{row['difference']:+.2f}",
            "ends": "–" if row["low"] is None else f"[{row['low']:+.2f}, {row['high']:+.2f}]",
            "p": row.get("reason", "–") if row["p_corrected"] is None else _p(row["p_corrected"]),
        }
        for name, row in differences.get("differences", {}).items()
    ]


def confounder_table(cells: Sequence[Scored]) -> dict[str, Any] | None:
    """False alarms on the control event by what they lie on; None where no score file says."""
    sections = [cell.scores.get("control", {}).get("false_alarms_by_confounder", {}) for cell in cells]
    names = list(dict.fromkeys(name for section in sections for name in section))
    if not names:
        return None
    names.sort(key=lambda name: name == "none")
    share = {name: section[name]["area_share"] for section in sections for name in section}
    return {
        "heads": [f"{name.replace('_', ' ')} ({_percent(share[name])} of the ground)" for name in names],
        "rows": [
            {
                "name": cell.name,
                "cells": [str(section[name]["false_alarms"]) if name in section else "0" for name in names],
            }
            for cell, section in zip(cells, sections, strict=True)
            if section
        ],
    }


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"


def _p(p: float) -> str:
    return "< 0.01" if p < 0.01 else f"{p:.2f}"


def event_rows(events: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The table of events."""
    rows = []
    for event in events:
        grid = event["grid"]
        lon, lat = grid["center"]
        area = grid["width"] * grid["height"] * grid["resolution_m"] ** 2 / 1e6
        rows.append(
            {
                "name": event["name"] + (" (simulated)" if event["simulated"] else ""),
                "role": _ROLES.get(event["role"], "imported"),
                "place": f"{abs(lat):.2f}° {'N' if lat >= 0 else 'S'} {abs(lon):.2f}° {'E' if lon >= 0 else 'W'}",
                "day": event["about"].get("date", "–"),
                "km2": f"{area:.0f}",
                "known": str(len(event["known"])),
            }
        )
    return rows


def pieces_note(events: Sequence[Mapping[str, Any]]) -> str:
    """What is counted as a landslide on the page, and how many the inventories themselves have."""
    counts = {event["name"]: event["about"].get("inventory", {}).get("landslides") for event in events}
    told = ", ".join(f"{count} on {name}" for name, count in counts.items() if count)
    note = (
        "A piece is a patch of connected pixels of the mapped landslides: one landslide can be several, two can be one."
    )
    return note + (f" The inventories themselves count {told}." if told else "")


def setting_rows(cards: Sequence[ModelCard]) -> list[dict[str, str]]:
    """The bands of every setting."""
    return [
        {"name": name, "bands": ", ".join(card.inputs.names)} for name, card in {c.setting: c for c in cards}.items()
    ]


def score_table(cells: Sequence[Scored], comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Heads and cells of the score table, each with whether it needs a wide screen; columns that no cell has are left
    out."""
    best = max(cells, key=lambda cell: judged_on(cell.scores)[0]["mcc"] or 0.0)
    columns: dict[str, list[str]] = {name: [] for name in ("precision", "recall", "F1", "MCC", "AUPRC")}
    columns |= {
        "MCC unseen": [],
        "pieces found": [],
        "false / 100 km²": [],
        "MCC test blocks": [],
        "MCC random split": [],
    }
    for cell in cells:
        scores, section = cell.scores, judged_on(cell.scores)[0]
        for head in ("precision", "recall", "F1", "MCC", "AUPRC"):
            columns[head].append(_with_ends(section, head.lower()))
        columns["MCC unseen"].append(_with_ends(scores.get("unseen", {}), "mcc"))
        columns["pieces found"].append(_with_ends(section.get("objects", {}), "recall"))
        columns["false / 100 km²"].append(_with_ends(scores.get("control", {}), "false_alarms_per_100km2", 0))
        entry = comparison.get(scores["setting"], {}).get(scores["detector"], {})
        random = entry.get("random", {}).get("mcc")
        columns["MCC random split"].append(number(random))
        # what the random split is to be compared with
        columns["MCC test blocks"].append("–" if random is None else number(scores["mcc"]))
    columns = {head: values for head, values in columns.items() if any(value != "–" for value in values)}
    return {
        "heads": [("setting", False), ("detector", False), *((head, head not in _NARROW) for head in columns)],
        "rows": [
            {
                "best": cell is best,
                "setting": cell.scores["setting"],
                "detector": _detector(cell),
                "cells": [(*_split(values[i]), head not in _NARROW) for head, values in columns.items()],
            }
            for i, cell in enumerate(cells)
        ],
    }


def _split(told: str) -> tuple[str, str]:
    """A number and its interval."""
    value, _, ends = told.partition(" ")
    return value, ends


def has_intervals(cells: Sequence[Scored]) -> bool:
    return any(interval(judged_on(cell.scores)[0], "mcc") is not None for cell in cells)


def _with_ends(scores: Mapping[str, Any], name: str, digits: int = 2) -> str:
    ends = interval(scores, name)
    told = "" if ends is None else f" [{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]"
    return number(scores.get(name), digits) + told


def _detector(cell: Scored) -> str:
    name = str(cell.scores["detector"])
    return DETECTORS.get(name, name)
