"""The comparison as a table to read: settings x detectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skred.core.json_file import read_json

# heading -> where the number stands in an entry of compare.json
_COLUMNS: dict[str, tuple[str, ...]] = {
    "precision": ("precision",),
    "recall": ("recall",),
    "F1": ("f1",),
    "MCC": ("mcc",),
    "AUPRC": ("auprc",),
    "F1 unseen": ("unseen", "f1"),
    "MCC unseen": ("unseen", "mcc"),
    "false alarms / 100 km²": ("control", "false_alarms_per_100km2"),
    "F1 random split": ("random", "f1"),
}


def read_comparison(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """`metrics/compare.json`. Raises InputError if it cannot be read."""
    table: dict[str, dict[str, dict[str, Any]]] = read_json(path, "run `dvc repro`, or check out a commit that has it")
    return table


def markdown(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """A Markdown table; columns that no cell has are left out, numbers that a cell has not are a dash."""
    rows = {(setting, detector): entry for setting, cells in table.items() for detector, entry in cells.items()}
    columns = {
        head: keys for head, keys in _COLUMNS.items() if any(_at(row, keys) is not None for row in rows.values())
    }
    lines = [
        "| setting | detector | " + " | ".join(columns) + " |",
        "|---|---|" + "---:|" * len(columns),
    ]
    for (setting, detector), entry in rows.items():
        numbers = [_shown(_at(entry, keys)) for keys in columns.values()]
        lines.append(f"| `{setting}` | {detector} | " + " | ".join(numbers) + " |")
    kind = "simulated" if any(entry["simulated"] for entry in rows.values()) else "real"
    return "\n".join([*lines, "", f"Scores of the test split, on {kind} pixels."])


def _at(entry: Mapping[str, Any], keys: tuple[str, ...]) -> float | None:
    value: Any = entry
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None else float(value)


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"
