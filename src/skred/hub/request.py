"""The body of a process request as checked models. Any key or value that is not here is a 400 that names it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from skred.hub.payload import Payload, Utc, parse_payload

USER_DATA = "userdata"
MAX_PX = 2500  # of a side, as at the service
CRS84_URL = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
Sampling = Literal["NEAREST", "BILINEAR", "BICUBIC"]  # on the source's own pixels none of them changes a value


def _boolean(value: Any) -> Any:
    if not isinstance(value, bool):  # a literal would take 1 for True
        raise ValueError("a valid boolean")
    return value


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
    harmonize_values: Annotated[Literal[True], BeforeValidator(_boolean)] = True


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
    egm: Annotated[Literal[False], BeforeValidator(_boolean)] = False


class DemData(Payload):
    type: Literal["dem"]
    id: str | None = None
    data_filter: DemFilter = Field(default_factory=dict, validate_default=True)  # so that a 400 names what it lacks
    processing: DemProcessing = DemProcessing()


Data = OpticalData | RadarData | DemData


class Crs(Payload):
    crs: str = CRS84_URL


class Bounds(Payload):
    """A box, the outline of an area, or both: then the image is of the box, with data inside the outline."""

    bbox: tuple[float, float, float, float] | None = None  # two opposite corners in units of the CRS
    geometry: dict[str, Any] | None = None  # a GeoJSON polygon in the CRS
    properties: Crs = Crs()

    @field_validator("bbox")
    @classmethod
    def _west_south_east_north(
        cls, value: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if value is None:
            return None
        west, east = sorted(value[::2])
        south, north = sorted(value[1::2])
        if west == east or south == north:
            raise ValueError("[west, south, east, north] with west < east and south < north")
        return west, south, east, north

    @model_validator(mode="after")
    def _somewhere(self) -> Bounds:
        if self.bbox is None and self.geometry is None:
            raise ValueError("bbox or geometry")
        return self


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
    """A size in pixels, or the size of a pixel in units of the CRS, and not both."""

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


def parse_request(body: str | bytes) -> ProcessRequest:
    """Raises ServiceError 400 that names every wrong or unsupported parameter."""
    return parse_payload(ProcessRequest, body)
