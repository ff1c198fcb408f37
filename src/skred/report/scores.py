"""The scores as charts: what the score files hold is shown, and what they do not hold is said to be absent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from skred.core.json_file import read_json
from skred.report.charts import MARKS, Axis, Chart, Series, draw, interval, number

_POINTS = 120  # of a curve: more would not be seen
_FEW = 30  # pixels of a bin whose share of landslide would say little
_NEUTRAL = 5  # first style of detectors where settings stand on an axis: the five before belong to settings
DETECTORS = {
    "unet": "U-Net",
    "cart": "CART",
    "cart_context": "CART with surroundings",
    "rule": "rule",
    "forest": "random forest",
    "boosting": "boosted trees",
}


@dataclass(frozen=True)
class Scored:
    """One cell's folder of scores, and the style that it has in every chart: a colour and mark per setting, a dash per
    detector."""

    folder: Path
    scores: dict[str, Any]
    style: int
    dash: int

    @property
    def name(self) -> str:
        return f"{self.scores['setting']}, {DETECTORS.get(self.scores['detector'], self.scores['detector'])}"


def judged_on(scores: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The section of a cell's scores that says most, and what it was measured on: test blocks and unseen events
    together where they were scored so, otherwise the test blocks."""
    if "held_out" in scores:
        return scores["held_out"], "test blocks and unseen event together"
    return scores, "test blocks"


def read_cells(folders: Sequence[Path]) -> list[Scored]:
    """The cells of blocked splits, in the order of `folders`; those of a random split flatter."""
    found = [(folder, read_json(folder / "scores.json", "run the evaluate stage")) for folder in folders]
    found = [(folder, scores) for folder, scores in found if scores["split"] != "random"]
    settings = list(dict.fromkeys(scores["setting"] for _, scores in found))
    detectors = list(dict.fromkeys(scores["detector"] for _, scores in found))
    return [Scored(folder, s, settings.index(s["setting"]), detectors.index(s["detector"])) for folder, s in found]


def charts(cells: Sequence[Scored], overlap: str) -> tuple[list[Chart], list[str]]:
    """The charts that the score files allow, and a sentence for each that they do not; `overlap` is the share of a
    landslide that must be detected for "found", in words."""
    drawn, absent = [headline(cells), precision_recall(cells)], []
    for chart, what in (
        (reliability(cells), "a reliability curve (whether a probability of 0.3 means three in ten)"),
        (recall_by_size(cells, overlap), "recall by size of the landslide"),
    ):
        if chart is None:
            absent.append(what)
        else:
            drawn.append(chart)
    return drawn, absent


def headline(cells: Sequence[Scored]) -> Chart:
    """MCC of every cell where it says most, and on the unseen event alone, with intervals where there are any."""
    settings = list(dict.fromkeys(cell.scores["setting"] for cell in cells))
    detectors = list(dict.fromkeys(cell.scores["detector"] for cell in cells))
    where = judged_on(cells[0].scores)[1]
    series = []
    for hollow, part in enumerate((where, "unseen event")):
        for k, detector in enumerate(detectors):
            of = [cell for cell in cells if cell.scores["detector"] == detector]
            told = [(c, c.scores.get("unseen", {}) if hollow else judged_on(c.scores)[0]) for c in of]
            told = [(cell, entry) for cell, entry in told if entry.get("mcc") is not None]
            # side by side in the room of their setting
            beside = (k + 0.5) / len(detectors) - 0.5 + (0.07 if hollow else -0.07)
            at = [settings.index(cell.scores["setting"]) + 0.6 * beside for cell, _ in told]
            series.append(
                Series(
                    f"{DETECTORS.get(detector, detector)}, {part}",
                    [(x, float(entry["mcc"])) for x, (_, entry) in zip(at, told, strict=True)],
                    [
                        f"{cell.name}, {part}: MCC {number(entry['mcc'])}{_ends(interval(entry, 'mcc'))}, "
                        f"F1 {number(entry['f1'])}"
                        for cell, entry in told
                    ],
                    style=_NEUTRAL + k % len(MARKS),
                    dash=hollow,
                    line=False,
                    bars=[interval(entry, "mcc") for _, entry in told],
                )
            )
    series = [one for one in series if one.points]
    reasons = [judged_on(cell.scores)[0].get("no_interval") for cell in cells]
    why = next(filter(None, reasons), "not in the score files")
    lowest = min([0.0, *(y for one in series for _, y in one.points), *(b[0] for one in series for b in one.bars if b)])
    low = math.floor(round(lowest / 0.2, 6)) * 0.2
    has_bars = any(bar is not None for one in series for bar in one.bars)
    best = max(cells, key=lambda cell: judged_on(cell.scores)[0]["mcc"] or 0.0)
    return draw(
        "mcc",
        "MCC of every model",
        Axis("setting", -0.5, len(settings) - 0.5, range(len(settings)), settings),
        Axis("MCC of landslide pixels", low, ticks=[round(low + 0.2 * i, 1) for i in range(round((1 - low) * 5) + 1)]),
        series,
        summary=f"Highest on the {where}: {best.name}, {number(judged_on(best.scores)[0]['mcc'])}.",
        note="Bars: 95 % intervals over spatial blocks."
        if has_bars
        else f"No intervals ({why}): small differences may be chance.",
    )


def precision_recall(cells: Sequence[Scored]) -> Chart:
    """Precision against recall on the test blocks."""
    series = []
    for cell in cells:
        curve = thinned(pd.read_csv(cell.folder / "pr.csv"))
        rows = list(curve.itertuples())
        points = [(float(row.recall), float(row.precision)) for row in rows]
        said = [
            f"{cell.name}: recall {row.recall:.2f}, precision {row.precision:.2f} at threshold {row.threshold:.3f}"
            for row in rows
        ]
        series.append(Series(cell.name, points, said, cell.style, cell.dash, every=0))
    best = max(cells, key=lambda cell: cell.scores["auprc"] or 0.0)
    return draw(
        "pr",
        "Precision against recall, test blocks",
        Axis("recall: share of landslide pixels found"),
        Axis("precision: share of detections that are right"),
        series,
        summary=f"Largest area under the curve: {best.name}, {number(best.scores['auprc'])}.",
        note="Thresholds were chosen on validation blocks, never here.",
    )


def thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """At most about `_POINTS` points of a precision-recall curve, evenly along its length, first and last kept."""
    if len(curve) <= _POINTS:
        return curve
    length = (curve["recall"].diff().abs() + curve["precision"].diff().abs()).fillna(0).cumsum()
    step = (length / max(float(length.iloc[-1]), 1e-9) * (_POINTS - 1)).astype(int)
    keep = ~step.duplicated()
    keep.iloc[-1] = True
    return curve[keep]


def reliability(cells: Sequence[Scored]) -> Chart | None:
    """Observed share against probability on the test blocks; None without the table of any cell."""
    series = []
    for cell in cells:
        file = cell.folder / "reliability.csv"
        if not file.is_file():
            continue
        table = pd.read_csv(file)
        kinds = list(dict.fromkeys(table["probabilities"])) if "probabilities" in table else []
        kind = "raw" if "raw" in kinds else None
        rows = table[(table["role"] == "test") & ((table["probabilities"] == kind) if kind else True)]
        rows = rows[rows["pixels"] >= _FEW]
        points = [(float(row.probability), float(row.observed)) for row in rows.itertuples()]
        said = [
            f"{cell.name}: of {row.pixels:,.0f} pixels at probability {row.probability:.2f}, "
            f"{100 * row.observed:.0f} % were landslide"
            for row in rows.itertuples()
        ]
        series.append(Series(cell.name, points, said, cell.style, cell.dash))
    if not series:
        return None
    return draw(
        "reliability",
        "Reliability, test blocks",
        Axis("probability that the model gave"),
        Axis("share that was landslide"),
        series,
        summary="On the diagonal a probability means what it says; below it the model is too sure.",
        note="Probabilities as the model gives them, before calibration; bins of fewer than "
        f"{_FEW} pixels are left out.",
        diagonal=True,
    )


def recall_by_size(cells: Sequence[Scored], overlap: str) -> Chart | None:
    """Share of landslides found by class of area, test blocks and unseen event; None where no cell has it."""
    series: list[Series] = []
    classes: list[str] = []
    where = ""
    for cell in cells:
        section, where = judged_on(cell.scores)
        sizes: Mapping[str, Any] = section.get("objects", {}).get("by_size", {})
        if not sizes:
            continue
        classes = classes or list(sizes)
        points, said = [], []
        for i, (name, row) in enumerate(sizes.items()):
            if row["landslides"]:
                points.append((float(i), row["found"] / row["landslides"]))
                said.append(f"{cell.name}, {size_words(name)}: {row['found']} of {row['landslides']} found")
        series.append(Series(cell.name, points, said, cell.style, cell.dash))
    if not series:
        return None
    words = [size_words(name).removesuffix(" ha").replace(" to ", "–") for name in classes]
    return draw(
        "sizes",
        f"Pieces of mapped landslides found by size, {where}",
        Axis("area of the landslide, ha", -0.3, len(classes) - 0.7, range(len(classes)), words),
        Axis("share found"),
        series,
        summary="Classes of area by which geological surveys report.",
        note=f"Found: at least {overlap} of its area is detected.",
    )


def size_words(name: str) -> str:
    """A class of area for people: ``under_0.1_ha`` is under 0.1 ha, ``0.1-0.25_ha`` 0.1 to 0.25 ha."""
    return name.replace("_", " ").replace("-", " to ")


def _ends(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" [{ends[0]:.2f}, {ends[1]:.2f}]"
