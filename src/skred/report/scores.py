"""The scores as charts: what the score files hold is shown, and what they do not hold is said to be absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from skred.core.json_file import read_json
from skred.report.charts import Axis, Chart, Series, draw, interval, number

_POINTS = 120  # of a curve: more would not be seen
_NEUTRAL = (5, 6)  # styles of detectors where settings stand on an axis: the other five belong to settings
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
    """One cell's folder of scores, and the style that it has in every chart: a colour and mark per setting, a dash for
    every detector but the first."""

    folder: Path
    scores: dict[str, Any]
    style: int
    dashed: bool

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
    return [Scored(folder, s, settings.index(s["setting"]), detectors.index(s["detector"]) > 0) for folder, s in found]


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
    where = judged_on(cells[0].scores)[1]
    parts = [(where, False), ("unseen event", True)]
    series = []
    for part, hollow in parts:
        points, said, bars = [], [], []
        for cell in cells:
            entry = cell.scores.get("unseen", {}) if hollow else judged_on(cell.scores)[0]
            if entry.get("mcc") is None:
                continue
            at = settings.index(cell.scores["setting"]) + (0.14 if cell.dashed else -0.14) + (0.07 if hollow else -0.07)
            ends = interval(entry, "mcc")
            points.append((at, float(entry["mcc"])))
            said.append(f"{cell.name}, {part}: MCC {number(entry['mcc'])}{_ends(ends)}, F1 {number(entry['f1'])}")
            bars.append(ends)
        for detector in dict.fromkeys(cell.dashed for cell in cells):
            keep = [i for i, text in enumerate(said) if _is(cells, text, detector)]
            name = f"{_detector(cells, detector)}, {part}"
            series.append(
                Series(
                    name,
                    [points[i] for i in keep],
                    [said[i] for i in keep],
                    style=_NEUTRAL[1] if detector else _NEUTRAL[0],
                    dashed=hollow,
                    line=False,
                    bars=[bars[i] for i in keep],
                )
            )
    has_bars = any(bar is not None for one in series for bar in one.bars)
    best = max(cells, key=lambda cell: judged_on(cell.scores)[0]["mcc"] or 0.0)
    return draw(
        "mcc",
        "MCC of every model",
        Axis("setting", -0.5, len(settings) - 0.5, range(len(settings)), settings),
        Axis("MCC of landslide pixels"),
        series,
        summary=f"Highest on the {where}: {best.name}, {number(judged_on(best.scores)[0]['mcc'])}.",
        note="Bars: 95 % intervals over spatial blocks."
        if has_bars
        else "No intervals in the score files: small differences may be chance.",
    )


def _is(cells: Sequence[Scored], text: str, dashed: bool) -> bool:
    return any(text.startswith(f"{cell.name},") and cell.dashed == dashed for cell in cells)


def _detector(cells: Sequence[Scored], dashed: bool) -> str:
    names = [cell.scores["detector"] for cell in cells if cell.dashed == dashed]
    return " and ".join(dict.fromkeys(DETECTORS.get(name, name) for name in names))


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
        series.append(Series(cell.name, points, said, cell.style, cell.dashed, every=0))
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
        points = [(float(row.probability), float(row.observed)) for row in rows.itertuples()]
        said = [
            f"{cell.name}: of {row.pixels:,.0f} pixels at probability {row.probability:.2f}, "
            f"{100 * row.observed:.0f} % were landslide"
            for row in rows.itertuples()
        ]
        series.append(Series(cell.name, points, said, cell.style, cell.dashed))
    if not series:
        return None
    return draw(
        "reliability",
        "Reliability, test blocks",
        Axis("probability that the model gave"),
        Axis("share that was landslide"),
        series,
        summary="On the diagonal a probability means what it says; below it the model is too sure.",
        note="Probabilities as the model gives them, before calibration.",
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
        series.append(Series(cell.name, points, said, cell.style, cell.dashed))
    if not series:
        return None
    return draw(
        "sizes",
        f"Landslides found by size, {where}",
        Axis("area of the landslide", -0.3, len(classes) - 0.7, range(len(classes)), [size_words(c) for c in classes]),
        Axis("share found"),
        series,
        summary="Large landslides are found more often than small ones.",
        note=f"Found: at least {overlap} of its area is detected.",
    )


def size_words(name: str) -> str:
    """A class of area for people: ``under_0.1_ha`` is under 0.1 ha, ``0.1-0.25_ha`` 0.1 to 0.25 ha."""
    return name.replace("_", " ").replace("-", " to ")


def _ends(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" [{ends[0]:.2f}, {ends[1]:.2f}]"
