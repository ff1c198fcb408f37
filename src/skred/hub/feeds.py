"""The data sources of a request, joined with what the script reads from each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from skred.core.grid import Grid
from skred.hub.errors import refuse, unsupported
from skred.hub.items import BANDS, S1, Item
from skred.hub.metadata import scene_metadata, sensed
from skred.hub.request import Data, DemData, RadarData
from skred.hub.scenes import DEM_SCENE, Scene, group, select
from skred.hub.setup import WHERE, Mosaicking, ScriptInput, Setup


@dataclass(frozen=True)
class Feed:
    """One data source: what the request says of it, what the script reads, and the scenes that answer.

    `id` is its name in the script where the request has several data sources. `units` holds the bands in order.
    """

    id: str
    data: Data
    units: dict[str, str]
    mosaicking: Mosaicking
    bounds: bool
    scenes: tuple[Scene, ...]

    @property
    def bands(self) -> tuple[str, ...]:
        return tuple(self.units)

    @property
    def values(self) -> int:
        """Values per pixel."""
        return len(self.scenes) * len(self.units)

    def keep(self, numbers: list[int]) -> Feed:
        """The feed with these of its scenes."""
        return replace(self, scenes=tuple(self.scenes[number] for number in numbers))

    def job(self, offset: int) -> dict[str, Any]:
        """The source as runtime.js reads it."""
        span = None if isinstance(self.data, DemData) else self.data.data_filter.time_range
        return {
            "id": self.id,
            "bands": self.bands,
            "mosaicking": self.mosaicking,
            "from": span and span.start.isoformat(),
            "to": span and span.end.isoformat(),
            "scenes": [scene_metadata(scene, self.mosaicking, bounds=self.bounds) for scene in self.scenes],
            "dates": [sensed(scene) for scene in self.scenes],
            "offset": offset,
        }


def join(setup: Setup, data: tuple[Data, ...], items: tuple[Item, ...], area: Grid | None) -> tuple[Feed, ...]:
    """A feed for each data source that the script reads.

    Parameters
    ----------
    items
        All items of the source.
    area
        The part of the source's grid that the request covers; None for none of it.

    Raises
    ------
    ServiceError
        The script's inputs and the request's data sources do not fit together, or the script asks for a band, a unit
        or a mosaicking that a collection does not have.
    """
    fusion = len(data) > 1
    feeds = []
    for name, of_script, of_request in _matched(setup, data):
        wanted = _merged(of_script)
        mosaicking = _mosaicking(wanted, setup, of_request, fusion=fusion)
        units = _units(of_request, wanted)
        _check_radar(of_request, wanted)
        if isinstance(of_request, DemData):
            scenes: tuple[Scene, ...] = (DEM_SCENE,)
        else:
            chosen = select(items, of_request, area)
            # with several data sources a script gets a list also of a single sample, which is empty without any item
            scenes = group(chosen, mosaicking) if chosen or not fusion else ()
        feeds.append(Feed(name, of_request, units, mosaicking, wanted.bounds, scenes))
    return tuple(feeds)


def _matched(setup: Setup, data: tuple[Data, ...]) -> list[tuple[str, list[ScriptInput], Data]]:
    """Name, inputs of the script and data source, in the order of the script."""
    named = {one.datasource for one in setup.inputs}
    by_id = {one.id: one for one in data if one.id is not None}
    for name in sorted(name for name in named if name is not None):
        if name not in by_id:
            refuse(f"{WHERE}->input->datasource", f"{name!r} is no id of a data source")
    if len(data) == 1:
        return [("0", list(setup.inputs), data[0])]
    if named == {None}:
        if len(setup.inputs) != len(data):
            refuse(
                f"{WHERE}->input",
                f"got {len(setup.inputs)} inputs without a datasource for {len(data)} data sources, which then must "
                "be as many, in the same order",
            )
        return [(str(k), [one], data[k]) for k, one in enumerate(setup.inputs)]
    if None in named:
        refuse(f"{WHERE}->input", "must name the datasource of every input or of none")
    order = dict.fromkeys(one.datasource for one in setup.inputs if one.datasource is not None)
    return [(name, [one for one in setup.inputs if one.datasource == name], by_id[name]) for name in order]


def _merged(inputs: list[ScriptInput]) -> ScriptInput:
    """Inputs of one data source as one: a script may list bands of other units apart."""
    merged = inputs[0]
    for one in inputs[1:]:
        twice = sorted(set(one.bands) & set(merged.bands))
        if twice:
            refuse(f"{WHERE}->input->bands", f"{twice[0]} is listed twice for one data source")
        if one.mosaicking != merged.mosaicking:
            refuse(f"{WHERE}->input->mosaicking", f"got {one.mosaicking} and {merged.mosaicking} for one data source")
        merged = replace(
            merged,
            bands=merged.bands + one.bands,
            units=merged.units | one.units,
            bounds=merged.bounds or one.bounds,
        )
    return merged


def _mosaicking(wanted: ScriptInput, setup: Setup, data: Data, *, fusion: bool) -> Mosaicking:
    mosaicking = wanted.mosaicking or setup.mosaicking
    if isinstance(data, DemData) and mosaicking != "SIMPLE":
        if not fusion or wanted.mosaicking:
            unsupported(f"{WHERE}->mosaicking", mosaicking, "SIMPLE of dem")
        return "SIMPLE"  # what the whole setup says is meant for its other data sources
    if data.type == S1 and mosaicking == "TILE":
        unsupported(f"{WHERE}->mosaicking", mosaicking, f"SIMPLE and ORBIT of {S1}, as the service does")
    return mosaicking


def _units(data: Data, wanted: ScriptInput) -> dict[str, str]:
    """The unit of each band, after a check that the collection has it in that unit."""
    table = BANDS[data.type]
    units = {}
    for band in wanted.bands:
        if band not in table.units:
            unsupported(f"{WHERE}->input->bands", band, f"{table.names()} of {data.type}")
        units[band] = wanted.units.get(band, table.units[band][0])
        if units[band] not in table.units[band]:
            unsupported(f"{WHERE}->input->units of {band}", units[band], " and ".join(table.units[band]))
    return units


def _check_radar(data: Data, wanted: ScriptInput) -> None:
    if not isinstance(data, RadarData):
        return
    options, where = data.processing, "input->data->processing"
    corrected = options.back_coeff == "GAMMA0_TERRAIN"
    if {"VV", "VH"} & set(wanted.bands) and not corrected:
        unsupported(f"{where}->backCoeff", options.back_coeff, "GAMMA0_TERRAIN")
    if "shadowMask" in wanted.bands and not corrected:
        refuse(f"{where}->backCoeff", "band shadowMask needs GAMMA0_TERRAIN")
    if "localIncidenceAngle" in wanted.bands and not options.orthorectify:
        refuse(f"{where}->orthorectify", "band localIncidenceAngle needs true")
