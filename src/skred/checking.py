"""Read every parameter and event file of a repository, as the stages would, and say what is wrong before they run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from skred.acquire.params import DownloadParams
from skred.checking_yaml import double_keys, wrong_days
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


class _Map(Section):
    """The whole section `map`. No stage reads it whole: DVC takes `cells`, and the stage map takes `polygons`."""

    cells: list[str]
    polygons: MapParams


# a pipeline has the sections of its own stages
_SECTIONS: dict[str, Any] = {
    "patch": PatchParams,
    "scores": ScoreParams,
    "download": DownloadParams,
    "composite": CompositeParams,
    "world": WorldParams,
    "report": ReportParams,
    "importance": ImportanceParams,
    "map": _Map,
    "simulated": list[str],
    "days": list[int],
}
# Bands that a detector's setting must have. The detector itself says so only when it trains, and it is not asked here,
# because to import one may take TensorFlow; a test keeps this table and the detector together.
_NEEDED_BANDS = {"rule": ("dndvi", "slope")}
# What pydantic's kinds of mistake want, in words of the files instead of words of Python.
_WANTED = {
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping of names to values"),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), "a day such as 2019-07-30"),
    "date_from_datetime_inexact": "a day such as 2019-07-30, without a time",
    "string_type": "text",
    "string_too_short": "text with {min_length} or more characters",
    "string_pattern_mismatch": "text that matches {pattern}",
    "too_short": "{min_length} or more values",
    "too_long": "{max_length} values at most",
    "recursion_loop": "values that do not hold themselves",
}
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]*$")
T = TypeVar("T")


def check_repository(root: Path, params: Path | None = None) -> tuple[list[str], list[str]]:
    """Check ``params.yaml``, ``data/events/*.yaml`` and the parameters of every experiment; or the file `params` alone.

    Returns
    -------
    fine, mistakes
        The files without a mistake, and a line for each mistake, with its file and key.
    """
    checks = _checks(root) if params is None else [(params, _params_mistakes)]
    fine: list[str] = []
    mistakes: list[str] = []
    for file, check in checks:
        found = _lines(check, file)
        mistakes += found
        if not found:
            fine.append(str(file))
    return fine, mistakes


def _checks(root: Path) -> list[tuple[Path, Callable[[Path], Iterator[str]]]]:
    try:
        events, studies = sorted(root.glob("data/events/*.yaml")), sorted(root.glob("experiments/*/params.yaml"))
    except OSError as error:
        raise InputError(f"folder {error.filename}: cannot be read ({error.strerror}); mend your access") from error
    return [
        *((file, _event_mistakes) for file in events),
        *((file, _params_mistakes) for file in [root / "params.yaml", *studies]),
    ]


def _lines(check: Callable[[Path], Iterator[str]], file: Path) -> list[str]:
    """The mistakes of a file, each once (an unknown section is found by every section that is read) and in one line."""
    try:
        found = list(check(file))
    except RecursionError:
        found = [f"{file}: keys within keys without end; wanted a few levels, and no value that holds itself"]
    except OSError as error:  # of a file that this one names: `read_yaml` tells of the file itself
        found = [
            f"{file}: needs {error.filename}, which cannot be read ({error.strerror}); mend its name or your access"
        ]
    return list(dict.fromkeys(" ".join(line.splitlines()) for line in found))


def _event_mistakes(file: Path) -> Iterator[str]:
    yield from double_keys(file)
    yield from wrong_days(file) or _told(partial(read_event, file), file)


def _params_mistakes(file: Path) -> Iterator[str]:
    try:
        sections = _read_sections(file)
        bands = _bands(file)
    except InputError as error:  # nothing else can be judged without these
        yield str(error)
        return
    yield from double_keys(file)
    yield from double_keys(_table(file))
    # A study of days or of importance looks at models of the root pipeline and has no settings of its own.
    trains = "settings" in sections or not {"days", "importance"} & set(sections)
    used = {cell["detector"] for cell in _mappings(sections.get("cells")) if trains and _is_detector(cell)}
    models: dict[str, Any] = {name: params_model(name) for name in DETECTORS if name in sections or name in used}
    models |= {key: model for key, model in _SECTIONS.items() if key in sections}
    for key, model in models.items():
        yield from _section_mistakes(file, key, model)
    if trains:
        yield from _training_mistakes(file, sections, bands)
    elif "days" in sections:
        yield from _early_mistakes(file)
    else:
        yield from _section_mistakes(file, "cells", dict[str, Cell])


def _read_sections(file: Path) -> dict[Any, Any]:
    sections = read_yaml(file)
    if isinstance(sections, dict):
        return sections
    got = "no key at all" if sections is None else "a list" if isinstance(sections, list) else "a single value"
    raise InputError(f"{file}: got {got}, wanted a mapping of sections such as 'patch:'")


def _is_detector(cell: dict[Any, Any]) -> bool:
    return cell.get("detector") in DETECTORS


def _training_mistakes(file: Path, sections: dict[Any, Any], bands: tuple[Band, ...]) -> Iterator[str]:
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
        yield from _missing_bands(file, name, cell, settings)
    if "map" in sections:
        yield from _map_mistakes(file, cells)
    if "simulated" in sections:
        yield from _simulated_mistakes(file, patches)


def _missing_bands(file: Path, name: str, cell: Cell, settings: dict[str, Setting]) -> Iterator[str]:
    there = settings.get(cell.setting)
    missing = [band for band in _NEEDED_BANDS.get(cell.detector, ()) if there and band not in there]
    if there and missing:
        yield (
            f"{file}: cells.{name}.setting: {cell.setting} has {', '.join(there)}, but detector {cell.detector} wants "
            f"{' and '.join(missing)} too; add to settings.{cell.setting}, or name another setting"
        )


def _map_mistakes(file: Path, cells: dict[str, Cell]) -> Iterator[str]:
    for name in _if_right(file, "map.cells", list[str]) or ():
        if name not in cells:
            yield f"{file}: map.cells: got {name!r}, wanted one of {', '.join(cells)}"


def _early_mistakes(file: Path) -> Iterator[str]:
    for key, model in {"cells": dict[str, EarlyCell], "composite": CompositeParams, "scores": ScoreParams}.items():
        yield from _section_mistakes(file, key, model)
    days = _if_right(file, "days", list[int])
    for name, cell in (_if_right(file, "cells", dict[str, EarlyCell]) or {}).items():
        if days is not None and cell.days not in days:
            yield f"{file}: cells.{name}.days: got {cell.days}, wanted one of {', '.join(map(str, days))}"


def _table(file: Path) -> Path:
    return file.parent / "bands.yaml"


def _bands(file: Path) -> tuple[Band, ...]:
    table = _table(file)
    return read_table(table).described() if table.is_file() else EVENT_BANDS


def _wrong_names(file: Path, **sections: list[str]) -> Iterator[str]:
    for section, names in sections.items():
        for name in names:
            if not _NAME.match(name):
                yield f"{file}: {section}: got the name {name!r}, wanted small letters, digits, hyphens and underscores"


def _simulated_mistakes(file: Path, patches: dict[str, PatchSet]) -> Iterator[str]:
    names = _if_right(file, "simulated", list[str])
    if names is None:
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


def _if_right(file: Path, key: str, model: type[T]) -> T | None:
    """The section `key`, or None: what is wrong with it is told elsewhere."""
    try:
        return read_section(file, key, model)
    except InputError:
        return None


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
        for one in cause.errors(include_url=False):
            context = one.get("ctx", {})
            if one["type"] == "too_short" and len(one["input"]) >= context["min_length"]:
                continue  # long enough, but for values that are wrong, and told
            wanted = _WANTED.get(one["type"], "").format(**context) or one["msg"]
            kind = PydanticCustomError(one["type"], wanted)
            alone: InitErrorDetails = {"type": kind, "loc": one["loc"], "input": one["input"]}
            yield f"{file}: {first_mistake(ValidationError.from_exception_data(cause.title, [alone]), key)}"
