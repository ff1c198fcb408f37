"""Mistakes in the text of a YAML file that its reader passes over, or stops at without saying where."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

_DAY = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}$")


def double_keys(file: Path) -> Iterator[str]:
    """A line for each key that stands twice, of which the reader of YAML takes the last and says nothing."""
    try:
        whole = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return  # told by the file's own reader
    for key, first, second in _repeated(whole, ()):
        yield f"{file}: {key}: there twice, in lines {first} and {second}; wanted each key once: remove one"


def _repeated(node: yaml.Node | None, above: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Each repeated key below `node`, with the lines of the two."""
    if isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from _repeated(value, (*above, str(i)))
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            where, line = (*above, str(key.value)), key.start_mark.line + 1
            if str(key.value) in lines:
                yield ".".join(where), lines[str(key.value)], line
            lines[str(key.value)] = line
            yield from _repeated(value, where)


def wrong_days(file: Path) -> list[str]:
    """A line for each value such as 2019-02-30, at which the reader of YAML stops without saying where it stood."""
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - makes strings alone
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []  # told by the event's own reader
    data = data if isinstance(data, dict) else {}
    values = {"date": data.get("date")}
    for window in ("pre", "post"):
        if isinstance(data.get(window), dict):
            values |= {f"{window}.{end}": data[window].get(end) for end in ("first", "last")}
    return [
        f"{file}: {key}: got {value}, wanted a day that there is, such as 2019-07-30"
        for key, value in values.items()
        if isinstance(value, str) and _DAY.match(value) and not _is_day(value)
    ]


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
