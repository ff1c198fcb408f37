"""The part of CQL2 text that catalog filters use: ``property op literal`` joined by AND."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from skred.hub.errors import refuse

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TERM = re.compile(
    r"\s*(?P<name>[A-Za-z_][\w:.-]*)\s*(?P<op><=|>=|<>|=|<|>)\s*"
    r"(?P<literal>'(?:[^']|'')*'|[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
    r"(?=\s|$)"
)
_AND = re.compile(r"\s+AND\s+(?=\S)", re.IGNORECASE)

Test = Callable[[Mapping[str, Any]], bool]


def parse_filter(text: str, known: Collection[str]) -> Test:
    """A test of an item's properties.

    An item without the property, or with a value of another type, does not pass.

    Raises
    ------
    ServiceError
        The text is not of this form, or names a property that is not in `known`.
    """
    terms: list[tuple[str, Callable[[Any, Any], bool], str | float]] = []
    position = 0
    while True:
        match = _TERM.match(text, position)
        if match is None:
            refuse(
                "filter",
                f"cannot be read at character {position} of {text!r}; the offline service reads "
                "`property op literal` with op one of = <> < <= > >=, joined by AND",
            )
        if match["name"] not in known:
            refuse("filter", f"property {match['name']!r} cannot be filtered; wanted one of {', '.join(sorted(known))}")
        terms.append((match["name"], _OPERATORS[match["op"]], _literal(match["literal"])))
        if not text[match.end() :].strip():
            return lambda properties: all(_passes(properties.get(name), op, value) for name, op, value in terms)
        joint = _AND.match(text, match.end())
        if joint is None:
            refuse("filter", f"wanted AND at character {match.end()} of {text!r}; nothing else is supported offline")
        position = joint.end()


def _literal(text: str) -> str | float:
    return text[1:-1].replace("''", "'") if text.startswith("'") else float(text)


def _passes(value: Any, op: Callable[[Any, Any], bool], literal: str | float) -> bool:
    same_kind = isinstance(value, str) if isinstance(literal, str) else isinstance(value, int | float)
    return same_kind and op(value, literal)
