"""Figures of a whole pipeline: optimism, days after the event, importance of bands. Tables in, figures out.

Colours and words are those of `skred.scores.figures` and of the templates in ``.dvc/plots``. The figures stand here
because only MLflow shows them: DVC draws its own from the tables, and no stage is to run again for a line's width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from skred.core.errors import InputError

# Told apart with any colour vision (Okabe & Ito 2008), in the order of the templates; so are the names.
COLOURS = ("#0072b2", "#009e73", "#d55e00", "#cc79a7", "#555555", "#56b4e9", "#e69f00")
_ORDER = ("full", "fusion", "sar", "optical", "change", "unet", "cart", "cart_context", "boosting", "forest", "rule")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 3)), (0, (2, 2)), (0, (8, 2, 2, 2)), (0, (1, 4)), (0, (10, 4)))
_MARKS = "os^Dvp"
_SCORES = {"precision": "precision", "recall": "recall", "f1": "F1", "mcc": "MCC", "auprc": "AUPRC"}
_SPLITS = {"blocks": "spatial blocks", "random": "random windows"}
_DAYS = {  # what, in the order of the panels, and what its axis says
    "seen": "share of the ground seen before and after",
    "MCC": "MCC of landslide pixels",
    "landslides found": "share of the landslides",
}


def save(figure: Figure, path: Path) -> None:
    """The figure as PNG: the same tables give the same bytes."""
    # Without `Software` matplotlib writes its version into the file.
    figure.savefig(path, dpi=110, metadata={"Software": None}, facecolor="white")


def pixels(simulated: Iterable[Any]) -> str:
    """What the scores were taken on, for a title."""
    kinds = {bool(one) for one in simulated if not pd.isna(one)}
    if len(kinds) != 1:
        return "simulated and real pixels" if kinds else "nobody says whether of simulated or real pixels"
    return "simulated pixels" if True in kinds else "real pixels"


def in_order(names: Iterable[str]) -> list[str]:
    """Settings or detectors, each once: those of the paper first, others by their name."""
    return sorted(set(names), key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def optimism_figure(table: pd.DataFrame) -> Figure | None:
    """Each score on spatial blocks and on random windows, a panel per setting; None of an empty table.

    `table` is as `skred.scores.comparison.optimism_table`.

    Raises
    ------
    InputError
        A column is missing.
    """
    _check(table, ("setting", "detector", "simulated", "score", "split", "value"), "plots/optimism.csv")
    table = table.dropna(subset="value")
    settings, detectors = in_order(table["setting"]), in_order(table["detector"])
    if not settings:
        return None
    scores = [score for score in _SCORES if score in set(table["score"])]
    columns = min(len(settings), 2)
    rows = -(-len(settings) // columns)
    figure = Figure(figsize=(max(4.2 * columns, 5.6), 2.7 * rows + 1.2), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat)
    for axes, setting in zip(panels, settings, strict=False):
        for k, detector in enumerate(detectors):
            one = table[(table["setting"] == setting) & (table["detector"] == detector)]
            both = one.pivot(index="score", columns="split", values="value").reindex(
                index=scores, columns=list(_SPLITS)
            )
            y = np.arange(len(scores)) + 0.5 * ((k + 0.5) / len(detectors) - 0.5)
            colour = COLOURS[k % len(COLOURS)]
            axes.hlines(y, both["blocks"], both["random"], color=colour, lw=1.2, alpha=0.6)
            axes.plot(both["blocks"], y, "o", ms=7, color=colour)
            axes.plot(both["random"], y, "s", ms=7, mfc="white", mec=colour, mew=1.6)
        axes.set(title=setting, xlim=(min(0.0, float(table["value"].min())) - 0.03, 1.03))
        axes.set_yticks(range(len(scores)), [_SCORES[score] for score in scores])
        axes.set_ylim(len(scores) - 0.5, -0.5)
        axes.grid(alpha=0.3, axis="x")
    _label_below(panels, settings, columns, "score")
    handles = [Line2D([], [], lw=4, color=COLOURS[k % len(COLOURS)], label=d) for k, d in enumerate(detectors)]
    handles.append(Line2D([], [], ls="", marker="o", ms=7, color="0.35", label=_SPLITS["blocks"]))
    handles.append(Line2D([], [], ls="", marker="s", ms=7, mfc="white", mec="0.35", mew=1.6, label=_SPLITS["random"]))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9)
    figure.suptitle(f"Optimism of a random split ({pixels(table['simulated'])})", fontsize=12)
    return figure


def days_figure(table: pd.DataFrame) -> Figure | None:
    """What could be seen, MCC, and landslides found against the days after the event; None of an empty table.

    `table` is as `skred.scores.days.days_curves`.

    Raises
    ------
    InputError
        A column is missing.
    """
    _check(table, ("setting", "detector", "simulated", "days", "what", "value"), "plots/days.csv")
    table = table.dropna(subset="value")
    if table.empty:
        return None
    settings, detectors = in_order(table["setting"]), in_order(table["detector"])
    low = min(0.0, float(table["value"].min()))
    shown = [what for what in _DAYS if what in set(table["what"])]
    figure = Figure(figsize=(3.7 * len(shown), 4.4), layout="constrained")
    handles = {}
    for axes, what in zip(figure.subplots(1, len(shown), squeeze=False).flat, shown, strict=True):
        part = table[table["what"] == what]
        for (setting, detector), curve in part.sort_values("days").groupby(["setting", "detector"]):
            i, k = settings.index(setting), detectors.index(detector)
            style = {"color": COLOURS[i % len(COLOURS)], "ls": _DASHES[k % len(_DASHES)], "lw": 1.8}
            mark = {"marker": _MARKS[k % len(_MARKS)], "ms": 5, "mfc": style["color"] if k == 0 else "white"}
            label = f"{setting}, {detector}"
            (handles[label],) = axes.plot(curve["days"], curve["value"], **style, **mark, label=label)
        axes.set(title=what, xlabel="days after the event", ylabel=_DAYS[what])
        axes.set(xlim=(0, float(table["days"].max()) + 1), ylim=(low - 0.03, 1.03))
        axes.grid(alpha=0.3)
    columns = min(len(handles), 4)
    below = list(handles.values())
    figure.legend(handles=below, loc="outside lower center", ncols=columns, fontsize=9, handlelength=3.5)
    title = f"Days after the event, one that no model was trained on ({pixels(table['simulated'])})"
    figure.suptitle(title, fontsize=12)
    return figure


def importance_figure(tables: Mapping[str, pd.DataFrame]) -> Figure | None:
    """How much MCC each cell loses when a band shows another place, a panel per cell; None without cells.

    `tables` are the files ``<cell>.csv`` by name, each with the columns of
    `skred.scores.importance.band_importance`, ``cell`` and ``simulated``.

    Raises
    ------
    InputError
        A column is missing.
    """
    wanted = ("band", "mcc", "mcc_drop", "mcc_drop_low", "mcc_drop_high", "cell", "simulated")
    for name, one in tables.items():
        _check(one, wanted, name)
    if not tables:
        return None
    table = pd.concat(tables.values(), ignore_index=True)
    cells = list(dict.fromkeys(table["cell"]))
    columns = min(len(cells), 2)
    bars = {cell: table[(table["cell"] == cell) & (table["band"] != "none")] for cell in cells}
    heights = [max(len(bars[cell]) for cell in cells[i : i + columns]) for i in range(0, len(cells), columns)]
    size = (4.6 * columns + (1.0 if columns == 1 else 0), 0.24 * sum(heights) + 0.75 * len(heights) + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(len(heights), columns, squeeze=False, sharex=True, height_ratios=heights).flat)
    for axes, cell in zip(panels, cells, strict=False):
        part = bars[cell].sort_values("mcc_drop", ascending=False, kind="stable")
        y = np.arange(len(part))
        axes.barh(y, part["mcc_drop"], 0.75, color=COLOURS[0])
        known = np.isfinite(part["mcc_drop_low"]) & np.isfinite(part["mcc_drop_high"])
        axes.hlines(y[known], part["mcc_drop_low"][known], part["mcc_drop_high"][known], color="black", lw=1.2)
        axes.axvline(0, color="0.4", lw=0.8)
        axes.set_yticks(y, part["band"], fontsize=8)
        axes.set_ylim(max(len(part), 1) - 0.4, -0.6)
        whole = table[(table["cell"] == cell) & (table["band"] == "none")]["mcc"]
        axes.set_title(f"{cell}" + "".join(f": MCC {value:.2f}" for value in whole), fontsize=10)
        axes.grid(alpha=0.3, axis="x")
        axes.set_axisbelow(True)
    lost = "MCC lost when the band is shuffled"
    _label_below(panels, cells, columns, f"{lost}, 95 % interval" if table["mcc_drop_low"].notna().any() else lost)
    figure.suptitle(f"Importance of bands ({pixels(table['simulated'])})", fontsize=12)
    return figure


def _label_below(panels: Sequence[Any], used: Sequence[Any], columns: int, label: str) -> None:
    """Name the x axis below the lowest panel of each column, and hide the panels that are left over."""
    for i, axes in enumerate(panels):
        if i >= len(used):
            axes.set_axis_off()
        elif i + columns >= len(used):
            axes.set_xlabel(label)
            axes.tick_params(labelbottom=True)


def _check(table: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{where}: has no column {', '.join(missing)}: written by older code; run `dvc repro`")
