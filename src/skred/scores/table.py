"""The comparison as a table to read: settings x detectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skred.core.json_file import read_json
from skred.scores.verdicts import verdicts

# heading, with the region -> where the number stands in an entry of compare.json
_COLUMNS: dict[str, tuple[str, ...]] = {
    "precision (test)": ("precision",),
    "recall (test)": ("recall",),
    "F1 (test)": ("f1",),
    "MCC (test)": ("mcc",),
    "AUPRC (test)": ("auprc",),
    "MCC (unseen)": ("unseen", "mcc"),
    "MCC (test + unseen)": ("held_out", "mcc"),
    "landslides found (test + unseen)": ("held_out", "objects", "recall"),
    "found by chance (test + unseen)": ("held_out", "objects", "chance_recall"),
    "detections right (test + unseen)": ("held_out", "objects", "precision"),
    "false alarms / 100 km² (control)": ("control", "false_alarms_per_100km2"),
    "optimism, F1 (test)": ("optimism", "f1"),
}
_OF_DETECTIONS = ("objects", "control")  # columns of detections, which count from the minimum mapping unit on
_USABLE_WIDTH = 1.0  # a score whose 95 % interval is wider could be nearly anything; a rate has no such bound
_RATES = ("false_alarms_per_100km2",)


def read_comparison(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """`metrics/compare.json`. Raises InputError if it cannot be read."""
    table: dict[str, dict[str, dict[str, Any]]] = read_json(path, "run `dvc repro`, or check out a commit that has it")
    return table


def read_verdicts(path: Path) -> list[str]:
    """What `metrics/differences.json` says about the paper's sentences; nothing where there is no such file."""
    return [line["text"] for line in verdicts(read_json(path, "run `dvc repro`"))] if path.is_file() else []


def markdown(table: Mapping[str, Mapping[str, Mapping[str, Any]]], *, intervals: bool = False) -> str:
    """A Markdown table; columns that no cell has are left out, numbers that a cell has not are a dash. With `intervals`
    a number is followed by its 95 % interval, by nothing where there is none, and by words where it is too wide."""
    rows = {(setting, detector): entry for setting, cells in table.items() for detector, entry in cells.items()}
    columns = {
        head: keys for head, keys in _COLUMNS.items() if any(_at(row, keys) is not None for row in rows.values())
    }
    lines = [
        "| setting | detector | " + " | ".join(columns) + " |",
        "|---|---|" + "---:|" * len(columns),
    ]
    for (setting, detector), entry in rows.items():
        numbers = [_with_interval(entry, keys) if intervals else _shown(_at(entry, keys)) for keys in columns.values()]
        lines.append(f"| `{setting}` | {detector} | " + " | ".join(numbers) + " |")
    kind = "simulated" if any(entry["simulated"] for entry in rows.values()) else "real"
    notes = [f"Test: the test split; all on {kind} pixels."]
    if any(part in keys for keys in columns.values() for part in _OF_DETECTIONS) and (told := _unit(rows.values())):
        notes.append(told)
    if seeds := _seeds(rows):
        notes.append(seeds)
    reasons = {entry["no_interval"] for entry in rows.values() if entry.get("no_interval")}
    if intervals and reasons:
        notes.append("No interval for the test split alone: " + "; ".join(sorted(reasons)) + ".")
    return "\n".join([*lines, "", *notes])


def _seeds(rows: Mapping[tuple[str, str], Mapping[str, Any]]) -> str | None:
    """Which rows are means over training seeds, and how far the seeds are apart; None where none is."""
    region = "held_out" if any("held_out" in entry for entry in rows.values()) else None
    parts = []
    for (setting, detector), entry in rows.items():
        section = entry if region is None else entry.get(region, {})
        if (count := entry.get("seeds", 1)) > 1 and section.get("mcc_smallest") is not None:
            ends = f"{section['mcc_smallest']:.2f} to {section['mcc_largest']:.2f}"
            parts.append(f"`{setting}` {detector} {ends} ({count} seeds)")
    if not parts:
        return None
    where = "test + unseen" if region else "test"
    apart = "; ".join(parts)
    return f"Means over training seeds; their intervals count places and seeds. MCC ({where}) of single seeds: {apart}."


def _unit(entries: Iterable[Mapping[str, Any]]) -> str | None:
    """The minimum mapping unit behind the columns of detections; None where the cells do not share one."""
    units = {
        _at(entry, keys) for entry in entries for keys in (("held_out", "objects", "unit_px"), ("control", "unit_px"))
    }
    units.discard(None)
    if len(units) != 1:
        return None
    return (
        f"Landslides, detections and false alarms are counted after dropping detections below {units.pop():.0f} px, "
        "one unit for all cells; the maps use each model's own, data/scores/<cell>/scores.json."
    )


def _with_interval(entry: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    value = _at(entry, keys)
    low, high = (_at(entry, (*keys[:-1], f"{keys[-1]}_{end}")) for end in ("low", "high"))
    if value is None or low is None or high is None:
        return _shown(value)
    if keys[-1] not in _RATES and high - low > _USABLE_WIDTH:
        return f"{_shown(value)} (no usable interval)"
    return f"{_shown(value)} [{_shown(low)}, {_shown(high)}]"


def _at(entry: Mapping[str, Any], keys: tuple[str, ...]) -> float | None:
    value: Any = entry
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None else float(value)


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}"
