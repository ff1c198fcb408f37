"""The body of a process request as checked models. Any key or value that is not here is a 400 that names it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from skred.core.grid import Grid, Window
from skred.hub.errors import refuse, unsupported
from skred.hub.payload import Payload, Utc, parse_payload

USER_DATA = "userdata"
MAX_PX = 2500  # of a side, as at the service
_EPSG_URL = re.compile(r"^https?://www\.opengis\.net/def/crs/EPSG/0/(\d+)$")
_ON_GRID_PX = 1e-6  # how far a box may lie off the grid: floating-point rounding, no more
Sampling = Literal["NEAREST", "BILINEAR", "BICUBIC"]  # a request has the grid's own resolution, so none changes a pixel


class TimeRange(Payload):
    """Both ends belong to it."""

    start: Utc = Field(alias="from")
    end: Utc = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> TimeRange:
        if self.start > self.end:
            raise ValueError("from not later than to")
        return self


class OpticalFilter(Payload):
    time_range: TimeRange
    max_cloud_coverage: float = Field(default=100.0, ge=0, le=100)  # percent
    mosaicking_order: Literal["mostRecent", "leastRecent", "leastCC"] = "mostRecent"


class OpticalProcessing(Payload):
    upsampling: Sampling = "NEAREST"
    downsampling: Sampling = "NEAREST"
    harmonize_values: Literal[True] = True


class OpticalData(Payload):
    type: Literal["sentinel-2-l2a"]
    id: str | None = None
    data_filter: OpticalFilter = Field(default_factory=dict, validate_default=True)  # so that a 400 names what it lacks
    processing: OpticalProcessing = OpticalProcessing()


class RadarFilter(Payload):
    time_range: TimeRange
    mosaicking_order: Literal["mostRecent", "leastRecent"] = "mostRecent"
    orbit_direction: Literal["ASCENDING", "DESCENDING"] | None = None
    acquisition_mode: Literal["SM", "IW", "EW", "WV"] | None = None
    polarization: Literal["SH", "SV", "DH", "DV", "HH", "HV", "VV", "VH"] | None = None
    resolution: Literal["HIGH", "MEDIUM"] | None = None
    timeliness: Literal["NRT10m", "NRT1h", "NRT3h", "Fast24h", "Offline", "Reprocessing", "ArchNormal"] | None = None


class SpeckleFilter(Payload):
    type: Literal["NONE"]


class RadarProcessing(Payload):
    """The defaults are the service's; pixels are served for GAMMA0_TERRAIN alone."""

    back_coeff: Literal["GAMMA0_ELLIPSOID", "GAMMA0_TERRAIN", "SIGMA0_ELLIPSOID", "BETA0"] = "GAMMA0_ELLIPSOID"
    orthorectify: bool = False
    dem_instance: str | None = None
    upsampling: Sampling = "NEAREST"
    downsampling: Sampling = "NEAREST"
    radiometric_terrain_oversampling: Literal[2] = 2
    speckle_filter: SpeckleFilter = SpeckleFilter(type="NONE")

    @model_validator(mode="after")
    def _dem(self) -> RadarProcessing:
        if self.orthorectify and self.dem_instance != "COPERNICUS_30":
            raise ValueError("demInstance COPERNICUS_30 with orthorectify, the only elevation model served offline")
        if self.back_coeff == "GAMMA0_TERRAIN" and not self.orthorectify:
            raise ValueError("orthorectify true with backCoeff GAMMA0_TERRAIN")
        return self


class RadarData(Payload):
    type: Literal["sentinel-1-grd"]
    id: str | None = None
    data_filter: RadarFilter = Field(default_factory=dict, validate_default=True)  # so that a 400 names what it lacks
    processing: RadarProcessing = RadarProcessing()


class DemFilter(Payload):
    dem_instance: Literal["COPERNICUS_30"]  # always named: the service's own default is another model
    time_range: TimeRange | None = None  # ignored, as at the service


class DemProcessing(Payload):
    upsampling: Sampling = "NEAREST"
    downsampling: Sampling = "NEAREST"
    egm: Literal[False] = False


class DemData(Payload):
    type: Literal["dem"]
    id: str | None = None
    data_filter: DemFilter = Field(default_factory=dict, validate_default=True)  # so that a 400 names what it lacks
    processing: DemProcessing = DemProcessing()


Data = OpticalData | RadarData | DemData


class Crs(Payload):
    crs: str


class Bounds(Payload):
    bbox: tuple[float, float, float, float]  # west, south, east, north in units of the CRS
    properties: Crs


class Input(Payload):
    bounds: Bounds
    data: tuple[Annotated[Data, Field(discriminator="type")], ...]

    @field_validator("data")
    @classmethod
    def _told_apart(cls, value: tuple[Data, ...]) -> tuple[Data, ...]:
        ids = [one.id for one in value if one.id is not None]
        if not value:
            raise ValueError("at least one data source")
        if len(set(ids)) < len(ids):
            raise ValueError("an id of its own for each of several data sources")
        return value


class Format(Payload):
    type: Literal["image/tiff", "image/png", "application/json"]


class Response(Payload):
    """One file of the answer: an output of the script, or its user data, which alone is JSON."""

    identifier: str = "default"
    format: Format

    @model_validator(mode="after")
    def _kind(self) -> Response:
        if (self.identifier == USER_DATA) != (self.format.type == "application/json"):
            raise ValueError(f"application/json for {USER_DATA} and an image for all else")
        return self


class Output(Payload):
    """A size in pixels or a resolution in metres, and not both."""

    width: int | None = Field(default=None, ge=1, le=MAX_PX)
    height: int | None = Field(default=None, ge=1, le=MAX_PX)
    resx: float | None = Field(default=None, gt=0)
    resy: float | None = Field(default=None, gt=0)
    responses: tuple[Response, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_way(self) -> Output:
        size, resolution = {self.width, self.height}, {self.resx, self.resy}
        if not ((size == {None} and None not in resolution) or (resolution == {None} and None not in size)):
            raise ValueError("either width and height or resx and resy")
        return self

    @field_validator("responses")
    @classmethod
    def _once(cls, value: tuple[Response, ...]) -> tuple[Response, ...]:
        if len({one.identifier for one in value}) < len(value):
            raise ValueError("each identifier once")
        return value


class ProcessRequest(Payload):
    input: Input
    output: Output
    evalscript: str


def parse_request(body: Any) -> ProcessRequest:
    """Raises ServiceError 400 that names every wrong or unsupported parameter."""
    return parse_payload(ProcessRequest, body)


def place(request: ProcessRequest, grid: Grid) -> Window:
    """Where the requested box lies on `grid`; it may reach beyond its edges, so row and col may be negative.

    Raises
    ------
    ServiceError
        Another CRS or resolution, or a corner that is not a whole number of pixels from the grid's: the offline
        service has no resampling kernel, and a guess would look like an answer.
    """
    west, south, east, north = request.input.bounds.bbox
    crs = request.input.bounds.properties.crs
    code = _EPSG_URL.match(crs)
    if code is None or f"EPSG:{code[1]}" != grid.crs:
        number = str(grid.crs).removeprefix("EPSG:")
        unsupported("input->bounds->properties->crs", crs, f"http://www.opengis.net/def/crs/EPSG/0/{number}")
    width, height = _size(request)
    for name, metres, pixels in (("width", east - west, width), ("height", north - south, height)):
        if abs(metres / grid.resolution_m - pixels) > _ON_GRID_PX:
            refuse(
                f"output->{name}",
                f"{pixels} pixels for {metres:g} m; the offline service does not resample: "
                f"wanted pixels of {grid.resolution_m:g} m",
            )
    col, row = (west - grid.west) / grid.resolution_m, (grid.north - north) / grid.resolution_m
    if abs(col - round(col)) > _ON_GRID_PX or abs(row - round(row)) > _ON_GRID_PX:
        refuse(
            "input->bounds->bbox",
            f"corner ({west:g}, {north:g}) is not a whole number of {grid.resolution_m:g} m pixels from "
            f"({grid.west:g}, {grid.north:g}); the offline service does not resample",
        )
    return Window(round(row), round(col), height, width)


def _size(request: ProcessRequest) -> tuple[int, int]:
    """Width and height in pixels."""
    output = request.output
    if output.width is not None and output.height is not None:
        return output.width, output.height
    west, south, east, north = request.input.bounds.bbox
    sizes = [round((east - west) / (output.resx or 1)), round((north - south) / (output.resy or 1))]
    for name, size in zip(("resx", "resy"), sizes, strict=True):
        if not 1 <= size <= MAX_PX:
            refuse(f"output->{name}", f"gives {size} pixels, wanted 1 to {MAX_PX}")
    return sizes[0], sizes[1]
