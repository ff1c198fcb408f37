"""The comparison as a table to read: settings x detectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skred.core.json_file import read_json
from skred.scores.verdicts import verdicts

# heading -> where the number stands in an entry of compare.json
_COLUMNS: dict[str, tuple[str, ...]] = {
    "precision": ("precision",),
    "recall": ("recall",),
    "F1": ("f1",),
    "MCC": ("mcc",),
    "AUPRC": ("auprc",),
    "MCC unseen": ("unseen", "mcc"),
    "MCC test + unseen": ("held_out", "mcc"),
    "landslides found": ("held_out", "objects", "recall"),
    "by chance": ("held_out", "objects", "chance_recall"),
    "detections right": ("held_out", "objects", "precision"),
    "false alarms / 100 km²": ("control", "false_alarms_per_100km2"),
    "optimism, F1": ("optimism", "f1"),
}


def read_comparison(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """`metrics/compare.json`. Raises InputError if it cannot be read."""
    table: dict[str, dict[str, dict[str, Any]]] = read_json(path, "run `dvc repro`, or check out a commit that has it")
    return table


def read_verdicts(path: Path) -> list[str]:
    """What `metrics/differences.json` says about the paper's sentences; nothing where there is no such file."""
    return [line["text"] for line in verdicts(read_json(path, "run `dvc repro`"))] if path.is_file() else []


def markdown(table: Mapping[str, Mapping[str, Mapping[str, Any]]], *, intervals: bool = False) -> str:
    """A Markdown table; columns that no cell has are left out, numbers that a cell has not are a dash. With `intervals`
    a number is followed by its 95 % interval, or by nothing where there is none."""
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
    notes = [f"Scores of the test split, on {kind} pixels."]
    reasons = {entry["no_interval"] for entry in rows.values() if entry.get("no_interval")}
    if intervals and reasons:
        notes.append("No interval for the test split alone: " + "; ".join(sorted(reasons)) + ".")
    return "\n".join([*lines, "", *notes])


def _with_interval(entry: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    value = _at(entry, keys)
    low, high = (_at(entry, (*keys[:-1], f"{keys[-1]}_{end}")) for end in ("low", "high"))
    if value is None or low is None or high is None:
        return _shown(value)
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
