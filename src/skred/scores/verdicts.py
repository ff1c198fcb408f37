"""The paper's sentences, each with what these scores say about it: holds, does not hold, or cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from skred.scores.differences import SCORE, Compared, Scored, roles_compared
from skred.scores.params import ScoreParams

Verdict = Literal["holds", "does not hold", "cannot tell"]
BEST, DEEP = "setting 2 is best", "the deep model significantly outperforms CART in setting 3"


def verdicts(cells: Sequence[Scored], compared: Sequence[Compared], params: ScoreParams) -> list[dict[str, str]]:
    """A line for each sentence that these cells can speak to; each begins with where it was measured.

    - ``setting 2 is best``: `fusion` against every other setting, with the U-Net. It holds when all differences are
      positive beyond chance, and does not when one is negative beyond chance.
    - ``the deep model ... setting 3``: U-Net against CART on `sar`, likewise.

    Beyond chance is a corrected p < 0.05 that counts places and training seeds (`skred.scores.differences`). With fewer
    than `min_seeds` seeds of a U-Net nothing is said: how far seeds move the score is then unknown. One seed of CART is
    enough: it draws no weights.
    """
    where = _where(cells)
    lines = []
    rivals = [c if c.one[0] == "fusion" else _turned(c) for c in compared if _is_rival(c)]
    if rivals:
        verdict, why = _best(rivals, params)
        lines.append({"sentence": BEST, "verdict": verdict, "text": f"{where}: “{BEST}”: {verdict}. {why}"})
    deep = next((c for c in compared if (c.one, c.other) == (("sar", "unet"), ("sar", "cart"))), None)
    if deep is not None:
        verdict, why = _deep(deep, params)
        lines.append({"sentence": DEEP, "verdict": verdict, "text": f"{where}: “{DEEP}”: {verdict}. {why}"})
    return lines


def record(cells: Sequence[Scored], compared: Sequence[Compared], params: ScoreParams) -> dict[str, Any]:
    """`metrics/differences.json`."""
    roles = roles_compared(cells)
    blocks = len(cells[0].blocks.of(*roles).bins) if cells else 0
    return {
        "measured": {"where": _where(cells), "score": SCORE, "roles": " and ".join(roles), "blocks": blocks},
        "differences": {c.name: c.record() for c in compared},
        "verdicts": {line["sentence"]: line["text"] for line in verdicts(cells, compared, params)},
    }


def _where(cells: Sequence[Scored]) -> str:
    if not cells:
        return "Nowhere"
    simulated = {bool(cell.scores["simulated"]) for cell in cells}
    event = str(cells[0].scores.get("event", "unnamed"))
    if simulated == {True}:
        return "In the simulated world"
    return f"On real pixels ({event})" if simulated == {False} else "On simulated and real pixels"


def _is_rival(c: Compared) -> bool:
    return c.one[1] == c.other[1] == "unet" and "fusion" in (c.one[0], c.other[0])


def _turned(c: Compared) -> Compared:
    def negative(v: float | None) -> float | None:
        return None if v is None else -v

    return Compared(
        c.other,
        c.one,
        negative(c.difference),
        negative(c.high),
        negative(c.low),
        c.p,
        c.p_corrected,
        c.seeds[::-1],
        c.reason,
    )


def _best(rivals: Sequence[Compared], params: ScoreParams) -> tuple[Verdict, str]:
    numbers = "fusion minus " + "; minus ".join(f"{c.other[0]} {_shown(c)}" for c in rivals)
    few, seeds = _seeds(min(c.seeds_used for c in rivals), params)
    text = f"{seeds} MCC of the U-Net, {numbers}."
    if few:
        return "cannot tell", text
    if all(c.significant and (c.difference or 0) > 0 for c in rivals):
        return "holds", text
    if any(c.significant and (c.difference or 0) < 0 for c in rivals):
        return "does not hold", text
    return "cannot tell", text


def _deep(c: Compared, params: ScoreParams) -> tuple[Verdict, str]:
    few, seeds = _seeds(len(c.seeds[0]), params)
    text = f"{seeds} MCC, U-Net minus CART {_shown(c)}."
    if few or not c.significant:
        return "cannot tell", text
    return ("holds" if (c.difference or 0) > 0 else "does not hold"), text


def _seeds(seeds: int, params: ScoreParams) -> tuple[bool, str]:
    """Whether these are too few training seeds for a verdict, and how many they are in words."""
    what = "One training seed" if seeds == 1 else f"{seeds} training seeds"
    few = seeds < params.min_seeds
    return few, f"{what}, wanted {params.min_seeds}." if few else f"{what}."


def _shown(c: Compared) -> str:
    if c.difference is None:
        return "undefined"
    if c.low is None or c.high is None or c.p_corrected is None:
        return f"{c.difference:+.2f} (no interval: {c.reason})"
    return f"{c.difference:+.2f} [{c.low:+.2f}, {c.high:+.2f}], p {_p(c.p_corrected)}"


def _p(p: float) -> str:
    return "< 0.01" if p < 0.01 else f"{p:.2f}"
