"""Read every parameter and event file of a repository, as the stages would, and say what is wrong before they run."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from skred.acquire.params import DownloadParams
from skred.composite.params import CompositeParams
from skred.core.bands import EVENT_BANDS, Band, select
from skred.core.errors import InputError
from skred.core.events import read_event
from skred.core.params import Section, first_mistake, read_section, read_yaml
from skred.detectors.base import DETECTORS, params_model
from skred.detectors.cells import Cell, EarlyCell, Setting
from skred.importing import read_table
from skred.maps.params import MapParams
from skred.patches.params import PatchParams, PatchSet
from skred.report.params import ReportParams
from skred.scores.params import ImportanceParams, ScoreParams
from skred.world.params import WorldParams

# a pipeline has the sections of its own stages
_SECTIONS: dict[str, type[Section]] = {
    "patch": PatchParams,
    "scores": ScoreParams,
    "download": DownloadParams,
    "composite": CompositeParams,
    "world": WorldParams,
    "report": ReportParams,
}
_DAY = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}$")
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]*$")


def check_repository(root: Path, params: Path | None = None) -> tuple[list[str], list[str]]:
    """Check ``params.yaml``, ``data/events/*.yaml`` and the parameters of every experiment; or the file `params` alone.

    Returns
    -------
    fine, mistakes
        The files without a mistake, and a line for each mistake, with its file and key.
    """
    checks: list[tuple[Path, Callable[[Path], Iterator[str]]]] = [
        *((file, _event_mistakes) for file in sorted(root.glob("data/events/*.yaml"))),
        *((file, _params_mistakes) for file in [root / "params.yaml", *sorted(root.glob("experiments/*/params.yaml"))]),
    ]
    if params is not None:
        checks = [(params, _params_mistakes)]
    fine: list[str] = []
    mistakes: list[str] = []
    for file, check in checks:
        found = list(dict.fromkeys(check(file)))  # an unknown section is found by every section that is read
        mistakes += found
        if not found:
            fine.append(str(file))
    return fine, mistakes


def _event_mistakes(file: Path) -> Iterator[str]:
    yield from _wrong_days(file) or _told(partial(read_event, file), file)


def _wrong_days(file: Path) -> list[str]:
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


def _params_mistakes(file: Path) -> Iterator[str]:
    try:
        sections = read_yaml(file)
        if "importance" in sections:  # looks at models of the root pipeline, which has checked them
            read_section(file, "importance", ImportanceParams)
            return
        if "days" in sections:
            yield from _early_mistakes(file)
            return
        bands = _bands(file)
    except InputError as error:  # nothing else can be judged without these
        yield str(error)
        return
    used = {cell["detector"] for cell in _mappings(sections.get("cells")) if cell.get("detector") in DETECTORS}
    models: dict[str, Any] = {name: params_model(name) for name in DETECTORS if name in sections or name in used}
    models |= {key: model for key, model in _SECTIONS.items() if key in sections}
    for key, model in models.items():
        yield from _section_mistakes(file, key, model)
    whole = {"settings": dict[str, Setting], "patches": dict[str, PatchSet], "cells": dict[str, Cell]}
    if broken := [line for key, model in whole.items() for line in _section_mistakes(file, key, model)]:
        yield from broken  # and what names the settings, patches and cells cannot be judged
        return
    settings = read_section(file, "settings", dict[str, Setting])
    patches = read_section(file, "patches", dict[str, PatchSet])
    cells = read_section(file, "cells", dict[str, Cell])
    for name, names in settings.items():
        yield from _told(partial(select, bands, names, where=f"{file}: settings.{name}"), file)
    yield from _wrong_names(file, patches=list(patches), cells=list(cells), settings=list(settings))
    for name, cell in cells.items():
        for key, value, known in (("setting", cell.setting, settings), ("patches", cell.patches, patches)):
            if value not in known:
                yield f"{file}: cells.{name}.{key}: got {value!r}, wanted one of {', '.join(known)}"
    if "map" in sections:
        yield from _map_mistakes(file, cells)
    if "simulated" in sections:
        yield from _simulated_mistakes(file, patches)


def _map_mistakes(file: Path, cells: dict[str, Cell]) -> Iterator[str]:
    yield from _section_mistakes(file, "map.polygons", MapParams)
    try:
        mapped = read_section(file, "map.cells", list[str])
    except InputError as error:
        yield str(error)
        return
    for name in mapped:
        if name not in cells:
            yield f"{file}: map.cells: got {name!r}, wanted one of {', '.join(cells)}"


def _early_mistakes(file: Path) -> Iterator[str]:
    days = read_section(file, "days", list[int])
    for name, cell in read_section(file, "cells", dict[str, EarlyCell]).items():
        if cell.days not in days:
            yield f"{file}: cells.{name}.days: got {cell.days}, wanted one of {', '.join(map(str, days))}"
    yield from _section_mistakes(file, "composite", CompositeParams)
    yield from _section_mistakes(file, "scores", ScoreParams)


def _bands(file: Path) -> tuple[Band, ...]:
    table = file.parent / "bands.yaml"
    return read_table(table).described() if table.is_file() else EVENT_BANDS


def _wrong_names(file: Path, **sections: list[str]) -> Iterator[str]:
    for section, names in sections.items():
        for name in names:
            if not _NAME.match(name):
                yield f"{file}: {section}: got the name {name!r}, wanted small letters, digits, hyphens and underscores"


def _simulated_mistakes(file: Path, patches: dict[str, PatchSet]) -> Iterator[str]:
    try:
        names = read_section(file, "simulated", list[str])
    except InputError as error:
        yield str(error)
        return
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{file}: simulated: {name} is there twice; name each event once"
    for name in names:
        beside = file.parent / "data" / "events"  # a file of parameters that lies elsewhere is one of this checkout
        event_file = (beside if beside.is_dir() else Path("data/events")) / f"{name}.yaml"
        if not event_file.is_file():
            yield f"{file}: simulated: got {name!r}, wanted the name of a file in {event_file.parent}"
        elif not list(_event_mistakes(event_file)) and read_event(event_file).source != "simulated":
            yield f"{file}: simulated: {name} has source {read_event(event_file).source}, not simulated ({event_file})"
    for key, one in patches.items():
        if one.scenes not in names:
            yield f"{file}: patches.{key}.scenes: got {one.scenes!r}, wanted one of {', '.join(names)}"


def _mappings(data: Any) -> list[dict[Any, Any]]:
    return [one for one in data.values() if isinstance(one, dict)] if isinstance(data, dict) else []


def _section_mistakes(file: Path, key: str, model: Any) -> Iterator[str]:
    yield from _told(partial(read_section, file, key, model), file, key)


def _told(check: Callable[[], Any], file: Path, key: str = "") -> Iterator[str]:
    """A line for each mistake. The error's own line has the first of them alone, which is enough for a stage."""
    try:
        check()
    except InputError as error:
        cause = error.__cause__
        if not isinstance(cause, ValidationError):
            yield str(error)
            return
        for one in cause.errors(include_url=False, include_context=False):
            kind = PydanticCustomError(one["type"], one["msg"])
            alone: InitErrorDetails = {"type": kind, "loc": one["loc"], "input": one["input"]}
            yield f"{file}: {first_mistake(ValidationError.from_exception_data(cause.title, [alone]), key)}"
