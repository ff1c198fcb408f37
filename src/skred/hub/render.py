"""A process request from the body to the answer: pixels, through the request's own script, into a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.hub.engine import Engine
from skred.hub.errors import refuse, script_error, unsupported
from skred.hub.feeds import Feed, join
from skred.hub.image import PNG_BANDS, PNG_TYPES, SUFFIXES, png, tar, tiff
from skred.hub.items import DN_PER_REFLECTANCE, S2, PixelSource
from skred.hub.place import Place, place
from skred.hub.request import USER_DATA, ProcessRequest, Response
from skred.hub.scenes import fill
from skred.hub.setup import ScriptOutput, read_setup, with_bands
from skred.hub.units import processing_units

MAX_INPUT_VALUES = 500_000_000  # pixels x bands x scenes of one request: 2 GB
MAX_OUTPUT_BYTES = 2 * 10**9


@dataclass(frozen=True)
class Limits:
    """What one script may take: seconds for all of its code, and memory beside its pixels."""

    script_seconds: float = 60.0
    script_bytes: int = 512 * 2**20


@dataclass(frozen=True)
class Rendered:
    """The body of an answer, its media type, and the processing units that the service would charge."""

    body: bytes
    content_type: str
    processing_units: float


@dataclass(frozen=True)
class _Work:
    """A request with its script, once both are known to fit."""

    feeds: tuple[Feed, ...]
    outputs: tuple[ScriptOutput, ...]
    fusion: bool
    place: Place
    silent: bool  # only user data is asked for: the script may return no pixels

    @property
    def pixels(self) -> int:
        return self.place.pixels

    def job(self) -> dict[str, Any]:
        """As runtime.js reads it."""
        offsets = np.cumsum([0, *(feed.values * self.pixels for feed in self.feeds)])
        metadata: dict[str, Any] = {"serviceVersion": "offline"}
        if any(feed.data.type == S2 for feed in self.feeds):
            metadata["normalizationFactor"] = 1 / DN_PER_REFLECTANCE
        return {
            "pixels": self.pixels,
            "fusion": self.fusion,
            "sources": [feed.job(int(offset)) for feed, offset in zip(self.feeds, offsets[:-1], strict=True)],
            "outputs": [{"id": one.id, "bands": one.bands, "type": one.sample_type} for one in self.outputs],
            "inputMetadata": metadata,
            "silent": self.silent,
        }


def render(source: PixelSource, request: ProcessRequest, limits: Limits, *, archive: bool = False) -> Rendered:
    """Answer a process request; `archive` asks for a TAR even of one file.

    Raises
    ------
    ServiceError
        The request or its script is wrong or not supported; nothing is charged.
    """
    where = place(request, source.grid)
    with Engine(request.evalscript, script_seconds=limits.script_seconds, script_bytes=limits.script_bytes) as engine:
        work = _plan(engine, source, request, where)
        arrays = _run(engine, source, work)
        user_data = _user_data(engine, work)
    by_id = {one.id: one for one in work.outputs}
    files: dict[str, tuple[str, bytes]] = {}
    for response in request.output.responses:
        kind, name = response.format.type, response.identifier
        body = user_data if name == USER_DATA else _image(kind, by_id[name], arrays[name], where, source)
        files[f"{name}.{SUFFIXES[kind]}"] = kind, body
    units = processing_units(
        where.width,
        where.height,
        [(feed.data, len(set(feed.bands) - {"dataMask"}), len(feed.scenes)) for feed in work.feeds],
        float_output=any(
            by_id[response.identifier].sample_type == "FLOAT32"
            for response in request.output.responses
            if response.identifier != USER_DATA
        ),
    )
    if archive or len(files) > 1:
        return Rendered(tar({name: body for name, (_, body) in files.items()}), "application/tar", units)
    only_kind, only_body = next(iter(files.values()))
    return Rendered(only_body, only_kind, units)


def _plan(engine: Engine, source: PixelSource, request: ProcessRequest, where: Place) -> _Work:
    """What is to be computed, after the script's own say about its scenes and outputs."""
    for function in ("setup", "evaluatePixel"):
        if not engine.has(function):
            raise script_error(f"the script has no function {function}")
    setup = read_setup(engine.json("setup()"))
    by_id = {one.id: one for one in setup.outputs}
    for response in request.output.responses:
        _check_response(response, by_id)
    area = source.grid.crop(where.window) if where.window else None
    feeds = join(setup, request.input.data, source.items(), area)
    fusion = len(request.input.data) > 1
    silent = all(response.identifier == USER_DATA for response in request.output.responses)
    work = _Work(feeds, setup.outputs, fusion, where, silent)
    if engine.has("preProcessScenes"):
        if all(feed.mosaicking == "SIMPLE" for feed in feeds):
            unsupported("evalscript->preProcessScenes", "mosaicking SIMPLE", "it for ORBIT and TILE")
        kept = engine.json(f"__hub.preProcess({json.dumps(work.job())}, preProcessScenes)")
        feeds = tuple(feed.keep(numbers) for feed, numbers in zip(feeds, kept, strict=True))
        work = _Work(feeds, setup.outputs, fusion, where, silent)
    if engine.has("updateOutput"):
        bands = engine.json(f"__hub.updateOutput({json.dumps(work.job())}, updateOutput)")
        work = _Work(feeds, with_bands(setup.outputs, bands), fusion, where, silent)
    _check_size(work)
    by_id = {one.id: one for one in work.outputs}
    for response in request.output.responses:
        _check_image(response, by_id)
    return work


def _check_response(response: Response, outputs: dict[str, ScriptOutput]) -> None:
    if response.identifier != USER_DATA and response.identifier not in outputs:
        refuse("output->responses", f"the script has no output {response.identifier!r}; it has {', '.join(outputs)}")


def _check_image(response: Response, outputs: dict[str, ScriptOutput]) -> None:
    if response.format.type != "image/png":
        return
    output, where = outputs[response.identifier], f"output->responses->{response.identifier}->format->type"
    if output.dtype.name not in PNG_TYPES:
        refuse(where, f"image/png has no {output.sample_type}, only UINT8 and UINT16")
    if output.bands not in PNG_BANDS:
        refuse(where, f"image/png has 1 to {PNG_BANDS[-1]} bands, got {output.bands}")


def _check_size(work: _Work) -> None:
    values = work.pixels * sum(feed.values for feed in work.feeds)
    if values > MAX_INPUT_VALUES:
        refuse("input", f"{values} input values, at most {MAX_INPUT_VALUES} in one request; ask for a smaller area")
    window = work.place.window
    if window is not None:  # of a strongly reduced image far more is read than given to the script, a scene at a time
        read = window.height * window.width * max((len(feed.units) for feed in work.feeds), default=0)
        if read > MAX_INPUT_VALUES:
            refuse("input", f"{read} values to read of one scene, at most {MAX_INPUT_VALUES}; ask for a smaller area")
    size = _result_bytes(work)
    if size > MAX_OUTPUT_BYTES:
        refuse("output", f"{size} bytes, at most {MAX_OUTPUT_BYTES} in one request; ask for a smaller area")


def _result_bytes(work: _Work) -> int:
    return work.pixels * sum(one.bands * one.dtype.itemsize for one in work.outputs)


def _run(engine: Engine, source: PixelSource, work: _Work) -> dict[str, NDArray[Any]]:
    """Values of each output of the script, shape ``(bands, H, W)``."""
    engine.allocate(work.pixels * sum(feed.values for feed in work.feeds), result_bytes=_result_bytes(work))
    for feed in work.feeds:
        for scene in feed.scenes:
            out = np.zeros((len(feed.units), *work.place.shape), np.float32)
            fill(source, feed.data.type, scene, feed.units, place=work.place, out=out)
            engine.feed(out)
    engine.run(work.job())
    return {
        one.id: engine.result(k, one.dtype, one.bands * work.pixels).reshape(one.bands, *work.place.shape)
        for k, one in enumerate(work.outputs)
    }


def _user_data(engine: Engine, work: _Work) -> bytes:
    hook = "updateOutputMetadata" if engine.has("updateOutputMetadata") else "undefined"
    return engine.text(f"__hub.userData({json.dumps(work.job())}, {hook})").encode()


def _image(kind: str, output: ScriptOutput, array: NDArray[Any], where: Place, source: PixelSource) -> bytes:
    if kind == "image/png":
        return png(array, where.transform, simulated=source.simulated)
    return tiff(array, where.crs, where.transform, nodata=output.nodata_value, simulated=source.simulated)
