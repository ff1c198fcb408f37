"""Read every parameter and event file of a repository, as the stages would, and say what is wrong before they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from skred.acquire.params import DownloadParams
from skred.composite.params import CompositeParams
from skred.core.bands import EVENT_BANDS, Band, select
from skred.core.errors import InputError
from skred.core.events import read_event
from skred.core.params import Section, read_section, read_yaml
from skred.detectors.base import DETECTORS, params_model
from skred.detectors.cells import Cell, Setting
from skred.importing import read_table
from skred.patches.params import PatchParams, PatchSet
from skred.scores.params import ImportanceParams, ScoreParams
from skred.world.params import WorldParams

# a pipeline has the sections of its own stages
_SECTIONS: dict[str, type[Section]] = {
    "patch": PatchParams,
    "scores": ScoreParams,
    "download": DownloadParams,
    "composite": CompositeParams,
    "world": WorldParams,
}


def check_repository(root: Path) -> Iterator[str]:
    """Check ``params.yaml``, ``data/events/*.yaml`` and the same of every experiment; yields a line per file read.

    Raises
    ------
    InputError
        The first mistake, with its file and key.
    """
    for event_file in sorted(root.glob("data/events/*.yaml")):
        read_event(event_file)
        yield f"{event_file}: fine"
    for params_file in [root / "params.yaml", *sorted(root.glob("experiments/*/params.yaml"))]:
        _check_params(params_file)
        yield f"{params_file}: fine"


def _check_params(file: Path) -> None:
    sections = read_yaml(file)
    if "importance" in sections:  # looks at models of the root pipeline, which has checked them
        read_section(file, "importance", ImportanceParams)
        return
    used = _check_cells(file)
    for detector in DETECTORS:
        if detector in sections or detector in used:
            read_section(file, detector, params_model(detector))
    for key, model in _SECTIONS.items():
        if key in sections:
            read_section(file, key, model)
    if "simulated" in sections:
        for name in read_section(file, "simulated", list[str]):
            read_event(file.parent / "data" / "events" / f"{name}.yaml")


def _check_cells(file: Path) -> set[str]:
    """The detectors that the cells name."""
    table = file.parent / "bands.yaml"
    bands: tuple[Band, ...] = read_table(table).described() if table.is_file() else EVENT_BANDS
    settings = read_section(file, "settings", dict[str, Setting])
    for name, names in settings.items():
        select(bands, names, where=f"{file}: settings.{name}")
    patches = read_section(file, "patches", dict[str, PatchSet])
    cells = read_section(file, "cells", dict[str, Cell])
    for name, cell in cells.items():
        if cell.setting not in settings:
            raise InputError(f"{file}: cells.{name}.setting: got {cell.setting!r}, wanted one of {', '.join(settings)}")
        if cell.patches not in patches:
            raise InputError(f"{file}: cells.{name}.patches: got {cell.patches!r}, wanted one of {', '.join(patches)}")
    return {cell.detector for cell in cells.values()}
