"""Figures of a comparison: every cell in a row with its intervals, and the differences between cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from skred.core.errors import InputError
from skred.scores.verdicts import SIGNIFICANT
from skred.tracking.pictures import COLOURS, pixels

_ALARMS = "false_alarms_per_100km2"
_TOGETHER, _ALONE = "test blocks and unseen event together", "unseen event alone"


def comparison_figure(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Figure | None:
    """MCC, landslides found and false alarms of every cell of a ``compare.json``; None if it has no cells.

    Scores are of test blocks and unseen events together where a cell has them, otherwise of test blocks; a panel that
    no cell has a number for is left out.
    """
    rows = [(setting, detector, entry) for setting, cells in table.items() for detector, entry in cells.items()]
    if not rows:
        return None
    together = any("held_out" in entry for _, _, entry in rows)
    judged = [entry.get("held_out", entry) for _, _, entry in rows]
    wanted = {
        "MCC of pixels": (judged, "mcc"),
        "share of whole objects found": ([entry.get("objects", {}) for entry in judged], "recall"),
        "false alarms per 100 km²\non an event without landslides": ([e.get("control", {}) for *_, e in rows], _ALARMS),
    }
    panels = {label: cells for label, cells in wanted.items() if any(_known(e, cells[1]) for e in cells[0])}
    figure = Figure(figsize=(3.2 * max(len(panels), 1) + 1.8, 0.34 * len(rows) + 2.2), layout="constrained")
    settings = list(table)
    colours = [COLOURS[settings.index(setting) % len(COLOURS)] for setting, _, _ in rows]
    y = np.arange(len(rows))
    for axes, (label, (entries, name)) in zip(
        figure.subplots(1, max(len(panels), 1), sharey=True, squeeze=False).flat, panels.items(), strict=False
    ):
        _points(axes, y - (0.12 if name == "mcc" and together else 0), entries, name, colours)
        if name == "mcc" and together:
            alone = [entry.get("unseen", {}) for _, _, entry in rows]
            _points(axes, y + 0.2, alone, name, colours, hollow=True)
        axes.set_xlabel(label)
        low, high = axes.get_xlim()
        axes.set_xlim(low if low < -0.05 else -0.02 * high, high if name == _ALARMS else 1.02)
        axes.axvline(0, color="0.4", lw=0.8)
        axes.grid(alpha=0.3, axis="x")
        axes.set_yticks(y, [f"{setting}-{detector}" for setting, detector, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
    handles = [
        Line2D([], [], marker="o", color="0.35", label=(_TOGETHER if together else "test blocks") + _intervals(judged)),
        Line2D([], [], marker="o", mfc="white", color="0.35", lw=0.8, label=_ALONE),
    ]
    figure.legend(handles=handles[: 2 if together else 1], loc="outside lower center", ncols=2, fontsize=9)
    seeds = max(int(entry.get("seeds", 1)) for *_, entry in rows)
    means = f", means of up to {seeds} training seeds" if seeds > 1 else ""
    figure.suptitle(f"All cells of the pipeline ({pixels(e['simulated'] for *_, e in rows)}{means})", fontsize=12)
    return figure


def differences_figure(found: Mapping[str, Any]) -> Figure | None:
    """The differences of a ``differences.json`` with their intervals and corrected p; None if nothing was compared.

    Raises
    ------
    InputError
        It does not say where it was measured.
    """
    differences: Mapping[str, Mapping[str, Any]] = found.get("differences", {})
    if not differences:
        return None
    if "measured" not in found:
        raise InputError("metrics/differences.json: has no `measured`: written by older code; run `dvc repro`")
    measured = found["measured"]
    y = np.arange(len(differences))
    figure = Figure(figsize=(7.4, 0.3 * len(differences) + 2.0), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color="0.4", lw=1)
    said = []
    for at, entry in zip(y, differences.values(), strict=True):
        p = entry.get("p_corrected")
        sure = p is not None and p < SIGNIFICANT
        _points(axes, [at], [entry], "difference", [COLOURS[0] if sure else "0.55"], ends=("low", "high"))
        said.append("no p" if p is None else f"p {p:.3f}")
    axes.set_yticks(y, list(differences), fontsize=8)
    axes.set_ylim(len(differences) - 0.5, -0.5)
    reasons = sorted({entry["reason"] for entry in differences.values() if entry.get("reason")})
    known = any(_known(entry, "low") for entry in differences.values())
    axes.set_xlabel("difference of MCC" + (", 95 % interval" if known else f"; no interval: {'; '.join(reasons)}"))
    axes.grid(alpha=0.3, axis="x")
    beside = axes.twinx()
    beside.set_yticks(y, said, fontsize=8)
    beside.set_ylim(axes.get_ylim())
    handles = [
        Line2D([], [], marker="o", color=COLOURS[0], label=f"p below {SIGNIFICANT:g}, corrected for their number"),
        Line2D([], [], marker="o", color="0.55", label="all others"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)
    where = f"{measured['where']}, {measured['roles']}: {measured['blocks']} blocks, {_seeds(differences.values())}"
    figure.suptitle(f"Differences between cells\n{where}", fontsize=11)
    return figure


def _points(
    axes: Any,
    y: Any,
    entries: Sequence[Mapping[str, Any]],
    name: str,
    colours: Sequence[str],
    *,
    hollow: bool = False,
    ends: tuple[str, str] | None = None,
) -> None:
    """A point per entry that has a number, with its interval where there is one."""
    low_name, high_name = ends or (f"{name}_low", f"{name}_high")
    for at, entry, colour in zip(y, entries, colours, strict=True):
        if not _known(entry, name):
            continue
        if _known(entry, low_name) and _known(entry, high_name):
            axes.hlines(at, entry[low_name], entry[high_name], color=colour, lw=0.9 if hollow else 2)
        axes.plot(entry[name], at, "o", ms=5 if hollow else 6, color=colour, mfc="white" if hollow else colour)


def _known(entry: Mapping[str, Any], name: str) -> bool:
    return entry.get(name) is not None


def _intervals(entries: Sequence[Mapping[str, Any]]) -> str:
    """What a legend says of the intervals of these entries."""
    if any(_known(entry, "mcc_low") for entry in entries):
        return ", 95 % interval"
    reasons = sorted({entry["no_interval"] for entry in entries if entry.get("no_interval")})
    return "; no interval" + (f": {'; '.join(reasons)}" if reasons else "")


def _seeds(differences: Any) -> str:
    counts = sorted({int(entry.get(name, 1)) for entry in differences for name in ("seeds", "seeds_other")})
    if counts == [1]:
        return "one training seed each"
    return f"{counts[0]} to {counts[-1]} training seeds" if len(counts) > 1 else f"{counts[0]} training seeds each"
