"""What is asked of the image service: bodies of process requests, as pure functions of acquisition and grid."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skred.acquire.search import Acquisition
from skred.core.grid import Grid

SCRIPTS = Path(__file__).parent / "evalscripts"

# A catalog item's time is the start of its slice; the request's interval is wider, so that every slice and tile of the
# pass is in, and narrower than the gap to any other pass of the same satellite (about 100 minutes).
TIME_MARGIN = dt.timedelta(minutes=10)

# Terrain-flattened gamma0: without it slopes that face the radar look like change between tracks.
_RADAR_PROCESSING = {
    "backCoeff": "GAMMA0_TERRAIN",
    "orthorectify": True,
    "demInstance": "COPERNICUS_30",
    "upsampling": "BILINEAR",
}


@dataclass(frozen=True)
class Product:
    """One kind of image: its script and what a whole answer must look like.

    `lowest` and `highest` bound the values of each band that the script, or nature, can give; `unit_factor` is what
    the service's processing of its input multiplies the price with.
    """

    script: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    dtype: str
    nodata: float | None
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    unit_factor: float = 1.0

    @property
    def evalscript(self) -> str:
        return (SCRIPTS / self.script).read_text(encoding="utf-8")


_CODE = 65535.0  # the largest value of UINT16
_TERRAIN_CORRECTED = 2.5  # times the price of radar as it is

S2 = Product(
    script="s2.js",
    names=("B02", "B03", "B04", "B08", "SCL"),
    units=("reflectance x 10000",) * 4 + ("class",),
    dtype="uint16",
    nodata=0,
    lowest=(0.0,) * 5,
    highest=(_CODE,) * 4 + (11.0,),
)
S1 = Product(
    script="s1.js",
    names=("VV", "VH"),
    units=("0.001 dB from -50 dB",) * 2,
    dtype="uint16",
    nodata=0,
    lowest=(0.0,) * 2,
    highest=(_CODE,) * 2,
    unit_factor=_TERRAIN_CORRECTED,
)
VIEWING = Product(
    script="viewing.js",
    names=("localIncidenceAngle", "shadowMask"),
    units=("0.01 degree", "1"),
    dtype="uint16",
    nodata=None,
    lowest=(0.0,) * 2,
    highest=(18000.0, 1.0),
    unit_factor=_TERRAIN_CORRECTED,
)
DEM = Product(
    script="dem.js",
    names=("DEM",),
    units=("m",),
    dtype="float32",
    nodata=float("nan"),
    lowest=(-500.0,),  # the Dead Sea's shore lies at -430 m
    highest=(9000.0,),  # and Everest's top at 8849 m
)


def optical_input(acquisition: Acquisition) -> dict[str, Any]:
    """The input of an optical acquisition: everything that its satellite saw within the margin."""
    return {"type": "sentinel-2-l2a", "dataFilter": {"timeRange": _time_range(acquisition)}}


def radar_input(acquisition: Acquisition) -> dict[str, Any]:
    """The input of a radar pass. The direction is named, so that no pass of another direction can mix in."""
    return {
        "type": "sentinel-1-grd",
        "dataFilter": {
            "timeRange": _time_range(acquisition),
            "acquisitionMode": "IW",
            "polarization": "DV",
            "resolution": "HIGH",
            "orbitDirection": str(acquisition.orbit_direction).upper(),
        },
        "processing": dict(_RADAR_PROCESSING),
    }


def terrain_input() -> dict[str, Any]:
    """The input of the elevation model. It is named: the service's own choice may be another one."""
    return {
        "type": "dem",
        "dataFilter": {"demInstance": "COPERNICUS_30"},
        "processing": {"upsampling": "BILINEAR", "downsampling": "BILINEAR"},
    }


def body(product: Product, source: dict[str, Any], grid: Grid) -> dict[str, Any]:
    """The body of a process request for `product` from `source` on `grid`."""
    code = str(grid.crs).removeprefix("EPSG:")
    return {
        "input": {
            "bounds": {
                "bbox": list(grid.bounds),
                "properties": {"crs": f"http://www.opengis.net/def/crs/EPSG/0/{code}"},
            },
            "data": [source],
        },
        "output": {
            "width": grid.width,
            "height": grid.height,
            "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}],
        },
        "evalscript": product.evalscript,
    }


def _time_range(acquisition: Acquisition) -> dict[str, str]:
    return {
        "from": _utc(acquisition.time - TIME_MARGIN),
        "to": _utc(acquisition.last_time + TIME_MARGIN),
    }


def _utc(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
