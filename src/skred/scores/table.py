"""The comparison as a table to read: settings x detectors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from skred.core.errors import InputError
from skred.core.json_file import read_json
from skred.scores.verdicts import verdicts

Entry = Mapping[str, Any]
Table = Mapping[str, Mapping[str, Entry]]
Rows = Mapping[tuple[str, str], Entry]  # by setting and detector

_USABLE_WIDTH = 1.0  # a score whose 95 % interval is wider could be nearly anything; a rate has no such bound
_ROUGH = 100  # blocks: intervals from fewer hold the truth less often than they say (docs/scores.md)
_ALARMS = "false_alarms_per_100km2"
_SCORES = ("precision", "recall", "f1", "mcc", "iou", "auprc")
_OF_ONE = ("false alarms ", *(f"{name} " for name in (*_SCORES, _ALARMS)))  # how a reason begins that is of one number
_REGIONS: dict[str, tuple[str, ...]] = {"test + unseen": ("held_out",), "test": (), "unseen": ("unseen",)}
_HEADLINE = {"precision": "precision", "recall": "recall", "F1": "f1", "MCC": "mcc", "AUPRC": "auprc"}


@dataclass(frozen=True)
class _Column:
    """A column: what stands above it, and where its numbers stand in an entry of `compare.json`."""

    head: str
    section: tuple[str, ...]
    key: str
    region: str = ""  # whose blocks its intervals rest on; empty where they are not over blocks, or nobody counted them
    short: bool = False  # in the plain table too

    def value(self, entry: Entry) -> float | None:
        return _number(_section(entry, self.section).get(self.key))

    def ends(self, entry: Entry) -> tuple[float, float] | None:
        """Of its 95 % interval, None where there is none."""
        section = _section(entry, self.section)
        low, high = (_number(section.get(f"{self.key}_{end}")) for end in ("low", "high"))
        return None if low is None or high is None else (low, high)

    def why_none(self, entry: Entry) -> list[str]:
        """Why its number has no interval: what is said of this score, otherwise what is said of all."""
        told = _section(entry, self.section).get("no_interval")
        reasons = told.split("; ") if isinstance(told, str) else []
        names = (f"{self.key} is ", f"{self.key} ", *(["false alarms "] if self.key == _ALARMS else []))
        own = [_after(reason, names) for reason in reasons if reason.startswith(names)]
        of_all = [reason for reason in reasons if not reason.startswith(_OF_ONE)]
        over_seeds = bool(self.region) and (_number(entry.get("seeds")) or 1) > 1
        return own or of_all or (["not taken for means over seeds"] if over_seeds else [])


def _after(text: str, starts: Sequence[str]) -> str:
    return next((text.removeprefix(start) for start in starts if text.startswith(start)), text)


def read_comparison(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """`metrics/compare.json`.

    Raises
    ------
    InputError
        It cannot be read, or is no comparison of cells.
    """
    table = _read(path, "run `dvc repro`, or check out a commit that has it", _WANTED)
    if mistake := _mistake(table):
        raise InputError(f"{path}: {mistake}; {_WANTED}")
    found: dict[str, dict[str, dict[str, Any]]] = table
    return found


def read_verdicts(path: Path) -> list[str]:
    """What `metrics/differences.json` says about the paper's sentences; nothing where there is no such file.

    Raises
    ------
    InputError
        It is not what the compare stage writes.
    """
    if not path.is_file():
        return []
    record = _read(path, "run `dvc repro`", _WANTED_DIFFERENCES)
    try:
        _Record.model_validate(record)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        told = f" ({where})" if where else ""
        raise InputError(f"{path}: holds no differences between cells{told}; {_WANTED_DIFFERENCES}") from None
    return [line["text"] for line in verdicts(record)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Difference(_Strict):
    """What `skred.scores.verdicts` reads of a difference."""

    difference: float | None
    low: float | None
    high: float | None
    p_corrected: float | None
    seeds: int
    seeds_other: int
    reason: str | None = None

    @model_validator(mode="after")
    def _explained(self) -> _Difference:
        if self.reason is None and None in (self.difference, self.low, self.high, self.p_corrected):
            raise ValueError("wanted a reason for what is missing")
        return self


class _Measured(_Strict):
    where: str
    min_seeds: int | None = None


class _Record(_Strict):
    """`metrics/differences.json`, as far as it is read."""

    measured: _Measured
    differences: dict[str, _Difference]


_WANTED = (
    "wanted the table of a compare stage, such as metrics/compare.json: name that file, or make it with `dvc repro`"
)
_WANTED_DIFFERENCES = "wanted those that the compare stage writes beside its table: make them with `dvc repro`"


def _read(path: Path, otherwise: str, wanted: str) -> Any:
    try:
        return read_json(path, otherwise)
    except InputError as error:
        if isinstance(error.__cause__, IsADirectoryError):
            raise InputError(f"{path}: is a folder; {wanted}") from None
        if isinstance(error.__cause__, ValueError):
            raise InputError(f"{path}: is not JSON; {wanted}") from None
        raise
    except RecursionError:
        raise InputError(f"{path}: is nested without end; {wanted}") from None


def _mistake(table: Any) -> str | None:
    """What is wrong with a comparison, with the place; None where nothing is."""
    if not isinstance(table, dict) or not table:
        return "holds no settings and detectors"
    for setting, cells in table.items():
        if not isinstance(cells, dict) or not cells:
            return f"{setting} holds no detectors"
        for detector, entry in cells.items():
            if not isinstance(entry, dict) or not any(name in entry for name in _SCORES):
                return f"{setting}.{detector} holds no scores"
            others = [_section(entry, (name,)).get("simulated", True) for name in ("unseen", "control")]
            if not all(isinstance(kind, bool) for kind in (entry.get("simulated"), *others)):
                return f"{setting}.{detector} does not say whether its pixels are simulated"
    return None


def markdown(table: Table) -> str:
    """All columns as a Markdown table; those that no cell has are left out, numbers that a cell has not are a dash. A
    number is followed by its 95 % interval, by nothing where there is none, and by words where it is too wide."""
    rows = _rows(table)
    columns = _columns(rows)
    lines = [
        "| setting | detector | " + " | ".join(c.head for c in columns) + " |",
        "|---|---|" + "---:|" * len(columns),
    ]
    for (setting, detector), entry in rows.items():
        numbers = " | ".join(_with_interval(entry, column) for column in columns)
        lines.append(f"| `{setting}` | {detector} | {numbers} |")
    notes = [*_notes(rows, columns), *_interval_notes(rows, columns)]
    return "\n".join([*lines, "", *notes])


def plain(table: Table) -> str:
    """The few columns that a terminal has room for, in line, without intervals."""
    rows = _rows(table)
    columns = [column for column in _columns(rows) if column.short]
    lines = [["setting", "detector", *(column.head for column in columns)]]
    lines += [[*cell, *(_shown(column.value(entry)) for column in columns)] for cell, entry in rows.items()]
    widths = [max(map(len, words)) for words in zip(*lines, strict=True)]
    told = ["  ".join(_aligned(line, widths)) for line in lines]
    return "\n".join(
        [*told, "", *_notes(rows, columns), "More columns, and 95 % intervals: `skred compare --markdown`."]
    )


def _aligned(words: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The names of a cell to the left, its numbers to the right."""
    for i, (word, width) in enumerate(zip(words, widths, strict=True)):
        yield word.ljust(width) if i < 2 else word.rjust(width)


def _rows(table: Table) -> Rows:
    return {(setting, detector): entry for setting, cells in table.items() for detector, entry in cells.items()}


def _columns(rows: Rows) -> list[_Column]:
    """The columns that some cell has a number for. The headline scores are of the largest region, without its name."""
    region = "test + unseen" if _pooled(rows) else "test"
    largest, objects = _REGIONS[region], ("held_out", "objects")
    columns = [
        *(_Column(head, largest, key, region, short=key != "auprc") for head, key in _HEADLINE.items()),
        *([_Column("MCC (test)", (), "mcc", "test")] if largest else []),
        _Column("MCC (unseen)", ("unseen",), "mcc", "unseen"),
        _Column("landslides found", objects, "recall", region, short=True),
        _Column("found by chance", objects, "chance_recall"),
        _Column("detections right", objects, "precision", region),
        _Column("false alarms / 100 km²", ("control",), _ALARMS, short=True),
        _Column("optimism, F1 (test)", ("optimism",), "f1", short=True),
    ]
    return [column for column in columns if any(column.value(entry) is not None for entry in rows.values())]


def _pooled(rows: Rows) -> bool:
    return any("held_out" in entry for entry in rows.values())


def _notes(rows: Rows, columns: Sequence[_Column]) -> list[str]:
    """What the headings do not say."""
    region = "test + unseen, the test split and the unseen events together" if _pooled(rows) else "the test split"
    notes = [f"Where no region is named: {region}."]
    sections = {column.section[0] for column in columns if column.section}
    if "control" in sections:
        notes[0] += " False alarms: on control events, where nothing slid."
    notes[0] += f" All on {_kind(rows.values())} pixels."
    if "optimism" in sections:
        notes.append("Optimism: F1 on a random split minus F1 on blocks.")
    counted = any(column.section in (("held_out", "objects"), ("control",)) for column in columns)
    return [*notes, *(told for told in (_unit(rows.values()) if counted else None, _seeds(rows)) if told)]


def _kind(entries: Iterable[Entry]) -> str:
    kinds = {
        section["simulated"]
        for entry in entries
        for section in (entry, _section(entry, ("unseen",)), _section(entry, ("control",)))
        if "simulated" in section
    }
    return " and ".join(word for word, kind in (("simulated", True), ("real", False)) if kind in kinds)


def _unit(entries: Iterable[Entry]) -> str | None:
    """The minimum mapping unit behind the columns of detections; None where the cells do not share one."""
    sections = (("held_out", "objects"), ("control",))
    units = {_number(_section(entry, section).get("unit_px")) for entry in entries for section in sections} - {None}
    if len(units) != 1:
        return None
    return (
        f"Landslides, detections and false alarms are counted after dropping detections below {units.pop():.0f} px, "
        "one unit for all cells; the maps use each model's own, data/scores/<cell>/scores.json."
    )


def _seeds(rows: Rows) -> str | None:
    """Which rows are means over training seeds, and how far the seeds are apart; None where none is."""
    largest = ("held_out",) if _pooled(rows) else ()
    parts = []
    for (setting, detector), entry in rows.items():
        section, count = _section(entry, largest), _number(entry.get("seeds")) or 1
        least, most = _number(section.get("mcc_smallest")), _number(section.get("mcc_largest"))
        if count > 1 and least is not None:
            parts.append(f"`{setting}` {detector} {_shown(least)} to {_shown(most)} ({count:.0f} seeds)")
    if not parts:
        return None
    apart = "; ".join(parts)
    return f"Means over training seeds; their intervals count places and seeds. MCC of single seeds: {apart}."


def _interval_notes(rows: Rows, columns: Sequence[_Column]) -> list[str]:
    """From how many blocks the intervals are, and which numbers have none."""
    notes = []
    if blocks := {region: counts for region in _REGIONS if (counts := _blocks(rows, columns, region))}:
        first, *more = (f"{_range(counts)}{{}} ({region})" for region, counts in blocks.items())
        told = ", ".join([first.format(" blocks"), *(part.format("") for part in more)])
        few = min(map(min, blocks.values())) < _ROUGH
        rough = f"; from fewer than {_ROUGH} blocks they are rough, docs/scores.md" if few else ""
        notes.append(f"Intervals count places: {told}{rough}.")
    if missing := "; ".join(_missing(rows, columns)):
        notes.append(f"No interval: {missing}.")
    return notes


def _blocks(rows: Rows, columns: Sequence[_Column], region: str) -> set[int]:
    """How many blocks the intervals rest on that are shown of a region."""
    shown = [e for e in rows.values() if any(column.region == region and column.ends(e) for column in columns)]
    counts = {_number(_section(entry, _REGIONS[region]).get("blocks")) for entry in shown}
    return {int(count) for count in counts if count is not None}


def _range(counts: set[int]) -> str:
    return f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


def _missing(rows: Rows, columns: Sequence[_Column]) -> Iterator[str]:
    """Which numbers of which cells have no interval, and why: a part for each reason and the same columns."""
    cells: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (setting, detector), entry in rows.items():
        heads: dict[str, list[str]] = {}
        for column in columns:
            if column.value(entry) is not None and not column.ends(entry):
                for reason in column.why_none(entry):
                    heads.setdefault(reason, []).append(column.head)
        for reason, names in heads.items():
            cells.setdefault((reason, tuple(names)), []).append(f"`{setting}` {detector}")
    for (reason, shown), which in cells.items():
        whose = "every cell" if len(which) == len(rows) > 1 else ", ".join(which)
        yield f"{', '.join(shown)} of {whose} ({reason})"


def _with_interval(entry: Entry, column: _Column) -> str:
    value, ends = column.value(entry), column.ends(entry)
    if value is None or ends is None:
        return _shown(value)
    if column.key != _ALARMS and ends[1] - ends[0] > _USABLE_WIDTH:
        return f"{_shown(value)} (no usable interval)"
    return f"{_shown(value)} [{_shown(ends[0])}, {_shown(ends[1])}]"


def _section(entry: Entry, keys: tuple[str, ...]) -> Entry:
    """A part of an entry, empty where it has none."""
    part: Any = entry
    for key in keys:
        part = part.get(key) if isinstance(part, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}"
