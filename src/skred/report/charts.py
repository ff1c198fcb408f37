"""Charts as SVG, written here: the same numbers give the same bytes, and nothing needs to be fetched.

A chart is a picture that stands alone (axes, units, legend by colour, dash and mark) and a list of its points in the
picture's own coordinates, with which the page's script answers to the pointer and to the arrow keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT = 460, 330
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 46
MARKS = ("circle", "square", "triangle", "diamond", "cross")
_DASHES = ("", " dashed", " dotted")  # classes of the style sheet


@dataclass(frozen=True)
class Series:
    """One line or row of marks. `style` counts colours and marks, `dash` is 0 for a full line and full
    marks, 1 for dashes and hollow marks, more for dots and hollow marks.

    `points` are (x, y); `said` is the answer for each of them; `bars` are (low, high) per point, None without one.
    """

    name: str
    points: Sequence[tuple[float, float]]
    said: Sequence[str]
    style: int = 0
    dash: int = 0
    line: bool = True
    every: int = 1  # points from one mark to the next, 0 for none
    bars: Sequence[tuple[float, float] | None] = field(default_factory=list)


@dataclass(frozen=True)
class Axis:
    """A linear axis from `low` to `high` with its label and ticks; words in the place of numbers where given."""

    label: str
    low: float = 0.0
    high: float = 1.0
    ticks: Sequence[float] = (0, 0.2, 0.4, 0.6, 0.8, 1.0)
    words: Sequence[str] = ()


@dataclass(frozen=True)
class Chart:
    """A drawn chart: its SVG, the points for the script, its legend, and the sentence for a screen reader."""

    key: str
    title: str
    svg: Markup
    points: list[list[Any]]
    legend: list[dict[str, Any]]
    summary: str
    note: str


def draw(
    key: str,
    title: str,
    x: Axis,
    y: Axis,
    series: Sequence[Series],
    *,
    summary: str,
    note: str = "",
    diagonal: bool = False,
) -> Chart:
    """Draw `series` in one frame; `diagonal` adds the line on which y equals x."""
    parts = [_frame(x, y)]
    if diagonal:
        x0, y0, x1, y1 = (_fixed(v) for v in (*_place(x, y, x.low, x.low), *_place(x, y, x.high, x.high)))
        parts.append(f'<line class="diagonal" x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}"/>')
    points: list[list[Any]] = []
    for one in series:
        parts.append(_series(x, y, one))
        for (px, py), said in zip(one.points, one.said, strict=True):
            place = _place(x, y, px, py)
            points.append([round(place[0], 1), round(place[1], 1), said, one.style])
    svg = Markup(  # noqa: S704  # every text in it is escaped below
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(f"{title}. {summary}")}">'
        f"{''.join(parts)}</svg>"
    )
    legend = [{"name": one.name, "style": one.style, "line": one.line, "mark": _legend_mark(one)} for one in series]
    return Chart(key, title, svg, points, legend, summary, note)


def _place(x: Axis, y: Axis, px: float, py: float) -> tuple[float, float]:
    across = (px - x.low) / (x.high - x.low)
    up = (py - y.low) / (y.high - y.low)
    return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def _frame(x: Axis, y: Axis) -> str:
    out = []
    for i, tick in enumerate(x.ticks):
        px, bottom = _place(x, y, tick, y.low)
        words = x.words[i] if x.words else f"{tick:g}"
        out.append(f'<line class="grid" x1="{_fixed(px)}" y1="{TOP}" x2="{_fixed(px)}" y2="{_fixed(bottom)}"/>')
        out.append(f'<text x="{_fixed(px)}" y="{_fixed(bottom + 16)}" text-anchor="middle">{escape(words)}</text>')
    for tick in y.ticks:
        left, py = _place(x, y, x.low, tick)
        out.append(f'<line class="grid" x1="{_fixed(left)}" y1="{_fixed(py)}" x2="{WIDTH - RIGHT}" y2="{_fixed(py)}"/>')
        out.append(f'<text x="{_fixed(left - 6)}" y="{_fixed(py + 4)}" text-anchor="end">{tick:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text class="label" x="{middle:g}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>')
    up = (TOP + HEIGHT - BOTTOM) / 2
    out.append(
        f'<text class="label" transform="translate(14 {up:g}) rotate(-90)" text-anchor="middle">'
        f"{escape(y.label)}</text>"
    )
    return "".join(out)


def _series(x: Axis, y: Axis, one: Series) -> str:
    places = [_place(x, y, *point) for point in one.points]
    out = [f'<g class="s{one.style}{_DASHES[min(one.dash, 2)]}">']
    if one.line and len(places) > 1:
        out.append('<polyline points="' + " ".join(f"{_fixed(px)},{_fixed(py)}" for px, py in places) + '"/>')
    for (px, _), bar, (at, _) in zip(places, one.bars, one.points, strict=False):
        if bar is not None:
            low, high = (_fixed(_place(x, y, at, end)[1]) for end in bar)
            out.append(f'<line class="bar" x1="{_fixed(px)}" y1="{low}" x2="{_fixed(px)}" y2="{high}"/>')
    if one.every:
        out += [mark(MARKS[one.style % len(MARKS)], px, py, hollow=one.dash > 0) for px, py in places[:: one.every]]
    out.append("</g>")
    return "".join(out)


def mark(kind: str, x: float, y: float, *, hollow: bool = False, size: float = 4.2) -> str:
    """A mark of about the same area in every kind; hollow ones belong to dashed lines."""
    shape = {
        "circle": [],
        "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        "triangle": [(0, -1.25), (1.1, 0.8), (-1.1, 0.8)],
        "diamond": [(0, -1.35), (1.1, 0), (0, 1.35), (-1.1, 0)],
        "cross": [(-0.3, -1.2), (0.3, -1.2), (0.3, -0.3), (1.2, -0.3), (1.2, 0.3), (0.3, 0.3), (0.3, 1.2), (-0.3, 1.2),
                  (-0.3, 0.3), (-1.2, 0.3), (-1.2, -0.3), (-0.3, -0.3)],
    }[kind]  # fmt: skip
    name = "mark hollow" if hollow else "mark"
    if not shape:
        return f'<circle class="{name}" cx="{_fixed(x)}" cy="{_fixed(y)}" r="{size:g}"/>'
    corners = " ".join(f"{_fixed(x + dx * size)},{_fixed(y + dy * size)}" for dx, dy in shape)
    return f'<polygon class="{name}" points="{corners}"/>'


def _legend_mark(one: Series) -> Markup:
    line = '<line x1="1" y1="8" x2="31" y2="8"/>' if one.line else ""
    dot = mark(MARKS[one.style % len(MARKS)], 16, 8, hollow=one.dash > 0) if one.every else ""
    dashed = _DASHES[min(one.dash, 2)]
    return Markup(  # noqa: S704  # numbers only
        f'<svg class="key" viewBox="0 0 32 16" aria-hidden="true"><g class="s{one.style}{dashed}">{line}{dot}</g></svg>'
    )


def _fixed(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def number(value: Any, digits: int = 2) -> str:
    """A score for people; a dash where it is not defined."""
    return "–" if value is None else f"{value:.{digits}f}"


def interval(entry: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The ends of a score's interval, None where the scores have none."""
    low, high = entry.get(f"{name}_low"), entry.get(f"{name}_high")
    return None if low is None or high is None else (float(low), float(high))
