"""The paper's sentences, each with what `differences.json` says about it: holds, does not hold, or cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Verdict = Literal["holds", "does not hold", "cannot tell"]
Row = Mapping[str, Any]  # a difference, as in the file
SIGNIFICANT = 0.05  # a corrected p below it is beyond chance
BEST, DEEP = "setting 2 is best", "the deep model significantly outperforms CART in setting 3"
RIVALS = ("full", "sar", "optical")  # the paper's other settings: the best one is best of all four
_OF_LANDSLIDES = "The sentence is about landslides: this counts only if these pixels are labelled for landslides. "


def verdicts(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """A line for each sentence that a `differences.json` can speak to; each begins with where it was measured.

    - ``setting 2 is best``: `fusion` against the paper's other settings (`RIVALS`), with the U-Net. It holds when all
      three differences are there and positive beyond chance, and does not when one is negative beyond chance. Settings
      that are not the paper's say nothing of it.
    - ``the deep model ... setting 3``: U-Net against CART on `sar`, likewise.

    Beyond chance is a corrected p below `SIGNIFICANT` that counts places and training seeds
    (`skred.scores.differences`). With fewer than `min_seeds` seeds of a U-Net nothing is said: how far seeds move the
    score is then unknown. One seed of CART is enough: it draws no weights. Files written before `min_seeds` stood in
    them have none. Nobody knows here what real pixels are labelled for, so the text says that the sentence is about
    landslides.
    """
    measured, differences = record.get("measured", {}), record.get("differences", {})
    if "min_seeds" not in measured:
        return []
    min_seeds, comparisons = measured["min_seeds"], len(differences)
    lines = []
    if rivals := _rivals(differences):
        numbers = "fusion minus " + "; minus ".join(f"{name} {_shown(row)}" for name, row in rivals.items())
        few, seeds = _seeds(min(min(row["seeds"], row["seeds_other"]) for row in rivals.values()), min_seeds)
        missing = [name for name in RIVALS if name not in rivals]
        text = f"{seeds}{_without(missing)} MCC of the U-Net, {numbers}{_note(list(rivals.values()), comparisons)}."
        verdict = "cannot tell" if few else _best(list(rivals.values()), missing)
        lines.append(_line(measured["where"], BEST, verdict, text))
    if deep := differences.get("sar-unet minus sar-cart"):
        few, seeds = _seeds(deep["seeds"], min_seeds)
        text = f"{seeds} MCC, U-Net minus CART {_shown(deep)}{_note([deep], comparisons)}."
        lines.append(_line(measured["where"], DEEP, "cannot tell" if few else _best([deep]), text))
    return lines


def _line(where: str, sentence: str, verdict: Verdict, why: str) -> dict[str, str]:
    about = _OF_LANDSLIDES if "real pixels" in where else ""
    return {"sentence": sentence, "verdict": verdict, "text": f"{where}: “{sentence}”: {verdict}. {about}{why}"}


def _rivals(differences: Mapping[str, Row]) -> dict[str, Row]:
    """Of each of `RIVALS` that was compared, the difference of the U-Net of `fusion` to that of the setting."""
    found: dict[str, Row] = {}
    for setting in RIVALS:
        if row := differences.get(f"fusion-unet minus {setting}-unet"):
            found[setting] = row
        elif row := differences.get(f"{setting}-unet minus fusion-unet"):
            found[setting] = _turned(row)
    return found


def _without(settings: Sequence[str]) -> str:
    """What is missing to call a setting best, in words."""
    return f" Without a U-Net of {' and '.join(settings)}." if settings else ""


def _turned(row: Row) -> dict[str, Any]:
    def negative(v: float | None) -> float | None:
        return None if v is None else -v

    ends = {"low": negative(row["high"]), "high": negative(row["low"])}
    return {**row, **ends, "difference": negative(row["difference"])}


def _best(rows: Sequence[Row], missing: Sequence[str] = ()) -> Verdict:
    """One that is worse beyond chance is enough against; for, all must be better beyond chance and none `missing`."""
    signs = [(row["difference"] or 0) if _significant(row) else 0 for row in rows]
    if any(sign < 0 for sign in signs):
        return "does not hold"
    return "holds" if all(sign > 0 for sign in signs) and not missing else "cannot tell"


def _significant(row: Row) -> bool:
    return row["p_corrected"] is not None and row["p_corrected"] < SIGNIFICANT


def _seeds(seeds: int, min_seeds: int) -> tuple[bool, str]:
    """Whether these are too few training seeds for a verdict, and how many they are in words."""
    what = "One training seed" if seeds == 1 else f"{seeds} training seeds"
    few = seeds < min_seeds
    return few, f"{what}, wanted {min_seeds}." if few else f"{what}."


def _note(rows: Sequence[Row], comparisons: int) -> str:
    """What p is and the intervals are not: without it, an interval above 0 with p 0.13 reads like a mistake."""
    shown = [row for row in rows if None not in (row["low"], row["p_corrected"])]
    if not shown or comparisons < 2:
        return ""
    told = f"corrected for {comparisons} comparisons, intervals not corrected"
    return f" {told}" if len(rows) == 1 else f"; every p {told}"


def _shown(row: Row) -> str:
    if row["difference"] is None:
        return f"undefined ({row['reason']})"
    if row["low"] is None or row["high"] is None or row["p_corrected"] is None:
        return f"{row['difference']:+.2f} (no interval: {row['reason']})"
    return f"{row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}], p {_p(row['p_corrected'])}"


def _p(p: float) -> str:
    return "< 0.01" if p < 0.01 else f"{p:.2f}"
