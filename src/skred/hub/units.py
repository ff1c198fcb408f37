"""Processing units: what the service would charge for a request."""

from __future__ import annotations

from skred.hub.items import S1
from skred.hub.request import Data as RequestData
from skred.hub.request import RadarData

SMALLEST = 0.005


def processing_units(
    width: int, height: int, sources: list[tuple[RequestData, int, int]], *, float_output: bool
) -> float:
    """Processing units (PU) of one request.

    ``(width x height / 512², at least 0.01) x (bands / 3) x (2 for 32-bit float output) x samples x (Sentinel-1:
    orthorectified 2, terrain-corrected 2.5)``, at least 0.005; with several data sources their sum. From the
    service's documentation of March 2025; how it counts areas that are covered in part is not known here.

    Parameters
    ----------
    sources
        Per data source: its part of the request, its bands without dataMask, its samples per pixel.
    """
    area = max(width * height / 512**2, 0.01)
    total = sum(bands / 3 * max(samples, 1) * _radar_factor(data) for data, bands, samples in sources)
    return max(area * total * (2 if float_output else 1), SMALLEST)


def _radar_factor(data: RequestData) -> float:
    if data.type != S1 or not isinstance(data, RadarData):
        return 1.0
    if data.processing.back_coeff == "GAMMA0_TERRAIN":
        return 2.5
    return 2.0 if data.processing.orthorectify else 1.0
