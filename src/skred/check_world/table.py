"""The result of a check as a Markdown table and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skred.check_world.check import TUNING_SEEDS, Checked
from skred.check_world.marginals import Line

Pick = Callable[[Checked], Sequence[Line]]


def markdown(checked: Sequence[Checked]) -> str:
    """Requirements with pass or not, marginals, and outcomes, a column per seed."""
    seeds = " | ".join(str(one.seed) for one in checked)
    rule = " | ".join("---" for _ in range(len(checked) + 4))
    head = f"| {{}} | unit | wanted | {seeds} | {{}} |\n| {rule} |"
    parts = []
    if set(TUNING_SEEDS) & {one.seed for one in checked}:
        parts.append(
            f"Seeds {', '.join(map(str, TUNING_SEEDS))} were used for tuning: a pass on them proves nothing.\n"
        )
    parts.append(head.format("requirement", "holds on"))
    for i, requirement in enumerate(checked[0].requirements):
        held = [one.requirements[i].holds for one in checked]
        verdicts = " | ".join("yes" if holds else "NO" for holds in held)
        parts.append(f"| **{requirement.name}** | | | {verdicts} | **{sum(held)} of {len(held)}** |")
        parts += _rows(checked, _of_requirement(i))
    parts += ["", head.format("marginal", "mean"), *_rows(checked, lambda one: one.marginals, mean=True)]
    if any(one.outcomes for one in checked):
        parts += ["", head.format("outcome (no pass mark)", "mean, standard deviation")]
        parts += _rows(checked, lambda one: one.outcomes, mean=True, spread=True)
    return "\n".join(parts)


def as_json(checked: Sequence[Checked]) -> dict[str, Any]:
    """The same numbers, marked as simulated."""
    requirements = {}
    for i, requirement in enumerate(checked[0].requirements):
        held = {str(one.seed): one.requirements[i].holds for one in checked}
        measured = _values(checked, _of_requirement(i))
        requirements[requirement.name] = {"holds_on": sum(held.values()), "holds": held, "measured": measured}
    return {
        "simulated": True,
        "tuning_seeds": list(TUNING_SEEDS),
        "seeds": [one.seed for one in checked],
        "requirements": requirements,
        "marginals": _values(checked, lambda one: one.marginals),
        "outcomes": _values(checked, lambda one: one.outcomes),
    }


def _of_requirement(number: int) -> Pick:
    return lambda one: one.requirements[number].lines


def _names(checked: Sequence[Checked], pick: Pick) -> dict[str, Line]:
    """First line of each name, in order of appearance: a class that one world lacks has no line there."""
    found: dict[str, Line] = {}
    for one in checked:
        for line in pick(one):
            found.setdefault(line.name, line)
    return found


def _by_seed(checked: Sequence[Checked], pick: Pick, name: str) -> list[float | None]:
    values = [next((line.value for line in pick(one) if line.name == name), None) for one in checked]
    return [None if value is None or not np.isfinite(value) else value for value in values]


def _values(checked: Sequence[Checked], pick: Pick) -> dict[str, Any]:
    return {
        name: {
            "unit": line.unit,
            "wanted": line.wanted,
            "values": {
                str(one.seed): None if value is None else round(value, 6)
                for one, value in zip(checked, _by_seed(checked, pick, name), strict=True)
            },
        }
        for name, line in _names(checked, pick).items()
    }


def _rows(checked: Sequence[Checked], pick: Pick, *, mean: bool = False, spread: bool = False) -> list[str]:
    rows = []
    for name, line in _names(checked, pick).items():
        values = _by_seed(checked, pick, name)
        known = [value for value in values if value is not None]
        last = _number(float(np.mean(known))) if mean and known else ""
        if spread and known:
            last += f", {_number(float(np.std(known)))}"
        shown = " | ".join("-" if value is None else _number(value) for value in values)
        rows.append(f"| {name} | {line.unit} | {line.wanted} | {shown} | {last} |")
    return rows


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
