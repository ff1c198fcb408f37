"""Parameters and event files as typed, frozen, checked objects.

Each room owns the model of its own section (a subclass of `Section`); this module reads the files and turns
every mistake into one line that names the file, the key, what it got and what it wants.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, ValidationInfo, field_validator

from skred.core.errors import InputError

# Every top-level key that a params.yaml may have. The model of each lives in the room that uses it.
SECTION_NAMES = (
    "simulated",
    "patches",
    "cells",
    "settings",
    "world",
    "download",
    "composite",
    "patch",
    "unet",
    "cart",
    "cart_context",
    "forest",
    "boosting",
    "rule",
    "scores",
    "importance",
    "days",
    "map",
    "report",
)


class Section(BaseModel):
    """Base of every parameter model: cannot be changed after reading, and knows no extra keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _a_switch_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        # YAML reads yes, no, on and off as switches, and pydantic would take them for 1 and 0.
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in (int, float):
            raise ValueError("a number")
        return value


T = TypeVar("T")


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises
    ------
    InputError
        The file is missing, unreadable or not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); wanted a YAML file") from error
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a day such as 2019-02-30
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from error


def parse(model: type[T], data: Any, *, file: Path, key: str = "") -> T:
    """`data` as a `model`; `file` and `key` say where `data` stood.

    `model` may be a `Section` or any type that pydantic can check, such as ``dict[str, Cell]``.

    Raises
    ------
    InputError
        One line with the file, the first wrong key, what it got and what it wants.
    """
    try:
        return TypeAdapter(model).validate_python(data)
    except ValidationError as error:
        raise InputError(f"{file}: {first_mistake(error, key)}") from error


def read_section(path: Path, key: str, model: type[T]) -> T:
    """One section of a params file, such as ``patch`` or ``settings.fusion``.

    Raises
    ------
    InputError
        The file has a top-level key that skred does not know, lacks `key`, or the section is wrong.
    """
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise InputError(f"{path}: got {type(data).__name__}, wanted a mapping of sections such as 'patch:'")
    unknown = sorted(str(name) for name in data if name not in SECTION_NAMES)
    if unknown:
        raise InputError(f"{path}: {unknown[0]}: unknown section; wanted one of {', '.join(SECTION_NAMES)}")
    section: Any = data
    for part in key.split("."):
        if not isinstance(section, dict) or part not in section:
            raise InputError(f"{path}: {key}: missing; add this key")
        section = section[part]
    return parse(model, section, file=path, key=key)


def first_mistake(error: ValidationError, key: str) -> str:
    """The first mistake of `error` in one line: the key below `key`, what it got, what it wants, how many more."""
    errors = error.errors(include_url=False, include_context=False)
    # An unknown key first: a misspelt one is also missing under its right name.
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    parts = [str(part) for part in first["loc"] if part != "[key]"]
    where = ".".join([*([key] if key else []), *parts]) or "the whole file"
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key; remove it or correct its spelling{more}"
    if first["type"] == "missing":
        return f"{where}: missing; add this key{more}"
    wanted = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    wanted = re.sub(r"^(\w+) should (match|have) ", lambda m: f"{m[1].lower()} to {m[2]} ", wanted)
    if first["type"] == "value_error" and isinstance(first["input"], dict):
        # several keys disagree: the message names them
        return f"{where}: {wanted}{more}" if ": got " in wanted else f"{where}: wanted {wanted}{more}"
    return f"{where}: got {_short(first['input'])}, wanted {wanted}{more}"


def _short(value: Any) -> str:
    text = value.isoformat() if isinstance(value, dt.date) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
