"""A process request from the body to the answer: pixels, through the request's own script, into a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.core.grid import Grid, Window
from skred.hub.engine import Engine
from skred.hub.errors import refuse, unsupported
from skred.hub.image import tar, tiff
from skred.hub.items import BANDS, PixelSource
from skred.hub.request import Data, DemData, ProcessRequest, RadarData, place
from skred.hub.scenes import DEM_SCENE, Scene, fill, group, overlap, select
from skred.hub.setup import ScriptInput, ScriptOutput, Setup, read_setup
from skred.hub.units import processing_units

DTYPES = {"INT8": "int8", "UINT8": "uint8", "INT16": "int16", "UINT16": "uint16", "FLOAT32": "float32", "AUTO": "uint8"}
HOOKS = ("preProcessScenes", "updateOutput", "updateOutputMetadata")
MAX_INPUT_VALUES = 500_000_000  # pixels x bands x scenes of one request: 2 GB


@dataclass(frozen=True)
class Limits:
    """What one script may take."""

    script_seconds: float = 60.0
    script_bytes: int = 512 * 2**20


@dataclass(frozen=True)
class Rendered:
    """The body of an answer, its media type, and the processing units that the service would charge."""

    body: bytes
    content_type: str
    processing_units: float


@dataclass(frozen=True)
class _Feed:
    """One data source of a request, joined with what the script reads from it."""

    data: Data
    wanted: ScriptInput
    units: dict[str, str]
    scenes: tuple[Scene, ...]

    @property
    def size(self) -> int:
        """Values per pixel."""
        return len(self.scenes) * len(self.wanted.bands)


def render(source: PixelSource, request: ProcessRequest, limits: Limits, *, archive: bool = False) -> Rendered:
    """Answer a process request; `archive` asks for a TAR even of one file.

    Raises
    ------
    ServiceError
        The request or its script is wrong or not supported; nothing is charged.
    """
    window = place(request, source.grid)
    with Engine(request.evalscript, script_seconds=limits.script_seconds, script_bytes=limits.script_bytes) as engine:
        for hook in HOOKS:
            if engine.has(hook):
                unsupported("evalscript", hook, "setup and evaluatePixel")
        setup = read_setup(engine.setup())
        outputs = _asked_for(request, setup)
        feeds = _feeds(source, request, setup, window)
        arrays = _run(engine, source, setup, feeds, window)
    grid = source.grid.crop(window)
    files = {one.id: tiff(arrays[one.id], grid, nodata=one.nodata_value, simulated=source.simulated) for one in outputs}
    units = processing_units(
        window.width,
        window.height,
        [(feed.data, len(set(feed.wanted.bands) - {"dataMask"}), len(feed.scenes)) for feed in feeds],
        float_output=any(one.sample_type == "FLOAT32" for one in outputs),
    )
    if archive or len(files) > 1:
        return Rendered(tar({f"{name}.tif": body for name, body in files.items()}), "application/tar", units)
    return Rendered(next(iter(files.values())), "image/tiff", units)


def _asked_for(request: ProcessRequest, setup: Setup) -> tuple[ScriptOutput, ...]:
    by_id = {one.id: one for one in setup.outputs}
    wanted = dict.fromkeys(response.identifier for response in request.output.responses)
    for name in wanted:
        if name not in by_id:
            refuse("output->responses", f"the script has no output {name!r}; it has {', '.join(by_id)}")
    return tuple(by_id[name] for name in wanted)


def _feeds(source: PixelSource, request: ProcessRequest, setup: Setup, window: Window) -> tuple[_Feed, ...]:
    inside = overlap(window, source.grid)
    area: Grid | None = source.grid.crop(inside) if inside else None
    by_id = {one.id: one for one in request.input.data}
    feeds = []
    for wanted in setup.inputs:
        data = request.input.data[0] if len(by_id) == 1 and wanted.datasource is None else by_id.get(wanted.datasource)
        if data is None:
            refuse("evalscript->setup->input", f"datasource {wanted.datasource!r} is no id of a data source")
        units = _units(data, wanted)
        _check_radar(data, wanted)
        if isinstance(data, DemData):
            scenes: tuple[Scene, ...] = (DEM_SCENE,)
        else:
            scenes = group(select(source.items(), data, area), wanted.mosaicking)
        feeds.append(_Feed(data, wanted, units, scenes))
    values = window.width * window.height * sum(feed.size for feed in feeds)
    if values > MAX_INPUT_VALUES:
        refuse("input", f"{values} input values, at most {MAX_INPUT_VALUES} in one request; ask for a smaller area")
    return tuple(feeds)


def _units(data: Data, wanted: ScriptInput) -> dict[str, str]:
    """The unit of each band, after a check that the collection has it in that unit."""
    table = BANDS[data.type]
    units = {}
    for band in wanted.bands:
        if band not in table.units:
            unsupported("evalscript->setup->input->bands", band, f"{table.names()} of {data.type}")
        units[band] = wanted.units.get(band, table.units[band][0])
        if units[band] not in table.units[band]:
            unsupported(f"evalscript->setup->input->units of {band}", units[band], " and ".join(table.units[band]))
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


def _run(
    engine: Engine, source: PixelSource, setup: Setup, feeds: tuple[_Feed, ...], window: Window
) -> dict[str, NDArray[Any]]:
    """Values of each output of the script, shape ``(bands, H, W)``."""
    pixels = window.height * window.width
    buffer = engine.allocate(pixels * sum(feed.size for feed in feeds))
    jobs, offset = [], 0
    for feed in feeds:
        bands = feed.wanted.bands
        for number, scene in enumerate(feed.scenes):
            start = offset + number * len(bands) * pixels
            out = buffer[start : start + len(bands) * pixels].reshape(len(bands), window.height, window.width)
            fill(source, feed.data.type, scene, feed.units, window=window, out=out)
        jobs.append(_job(feed, offset))
        offset += feed.size * pixels
    outputs = [{"id": one.id, "bands": one.bands, "type": one.sample_type} for one in setup.outputs]
    engine.run({"pixels": pixels, "sources": jobs, "outputs": outputs})
    arrays = {}
    for k, one in enumerate(setup.outputs):
        values = engine.result(k, np.dtype(DTYPES[one.sample_type]), one.bands * pixels)
        arrays[one.id] = values.reshape(one.bands, window.height, window.width)
    return arrays


def _job(feed: _Feed, offset: int) -> dict[str, Any]:
    return {
        "id": feed.wanted.datasource,
        "bands": feed.wanted.bands,
        "simple": feed.wanted.mosaicking == "SIMPLE",
        "mosaicking": feed.wanted.mosaicking,
        "scenes": [scene.metadata() for scene in feed.scenes],
        "offset": offset,
    }
