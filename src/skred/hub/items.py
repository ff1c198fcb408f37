"""What the offline service serves: catalog items and the pixels behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from skred.core.grid import Grid, Window

S2 = "sentinel-2-l2a"
S1 = "sentinel-1-grd"
DEM = "dem"


@dataclass(frozen=True)
class Item:
    """One product of the catalog.

    `footprint` is the outer ring as (longitude, latitude) pairs in WGS84 degrees, the first point repeated at the end.
    `properties` are those of the STAC item beside ``datetime``: ``eo:cloud_cover`` in percent, ``sat:orbit_state``,
    ``sat:absolute_orbit``, ``sat:relative_orbit``, ``s1:polarization``, ``s1:resolution``, ``sar:instrument_mode``,
    ``platform``, ``created`` and ``updated`` (another time there is another version of the same product).
    """

    id: str
    collection: str  # S2 or S1; the elevation model has no items
    time: dt.datetime  # sensing time, UTC
    footprint: tuple[tuple[float, float], ...]
    properties: Mapping[str, Any] = field(default_factory=dict)


class PixelSource(Protocol):
    """Where the pixels come from. `read` is called from several threads at once."""

    @property
    def grid(self) -> Grid:
        """The grid on which every item has pixels."""

    @property
    def simulated(self) -> bool:
        """Whether the pixels are made up: every answer then says so."""

    def items(self) -> tuple[Item, ...]:
        """Every item of every collection."""

    def read(
        self, collection: str, item: Item | None, bands: tuple[str, ...], window: Window
    ) -> dict[str, NDArray[Any]]:
        """The `bands` of an item inside `window` (which lies inside the grid), each of shape ``(H, W)``.

        `item` is None for the elevation model. Units: B02 and the like reflectance 0..1, SCL its class,
        VV and VH linear power, localIncidenceAngle degrees, shadowMask 0 or 1, DEM metres, dataMask 0 or 1.
        A pixel's value depends on its place and item alone, not on the window.
        """


@dataclass(frozen=True)
class BandTable:
    """The bands of a collection that are served: name to the units it can be asked in, the default first."""

    units: Mapping[str, tuple[str, ...]]

    def names(self) -> str:
        return ", ".join(self.units)


_DN = ("DN",)
_OPTICAL = ("REFLECTANCE", "DN")
BANDS: Mapping[str, BandTable] = {
    S2: BandTable({"B02": _OPTICAL, "B03": _OPTICAL, "B04": _OPTICAL, "B08": _OPTICAL, "SCL": _DN, "dataMask": _DN}),
    S1: BandTable(
        {
            "VV": ("LINEAR_POWER",),
            "VH": ("LINEAR_POWER",),
            "localIncidenceAngle": _DN,
            "shadowMask": _DN,
            "dataMask": _DN,
        }
    ),
    DEM: BandTable({"DEM": ("METERS",), "dataMask": _DN}),
}
DN_PER_REFLECTANCE = 10_000.0
