"""A small real pixel source, a running server, and the unmodified client."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentinelhub import (
    CRS,
    BBox,
    DataCollection,
    MimeType,
    SentinelHubRequest,
    SHConfig,
)

from skred.core.grid import Grid, Window
from skred.hub.items import DEM, S1, S2, Item
from skred.hub.server import HubSettings

GRID = Grid("EPSG:32632", 300_000.0, 6_800_000.0, 10.0, 96, 80)
EMPTY = "_empty"
PROCESSING = {
    "backCoeff": "GAMMA0_TERRAIN",
    "orthorectify": True,
    "demInstance": "COPERNICUS_30",
    "upsampling": "BILINEAR",
}


def _ring(grid: Grid) -> tuple[tuple[float, float], ...]:
    west, south, east, north = grid.bounds_lonlat()
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def _time(day: int, hour: int = 10) -> dt.datetime:
    return dt.datetime(2019, 7, day, hour, 40, 11, tzinfo=dt.UTC)


def optical(day: int, cloud: float, name: str = "") -> Item:
    return Item(
        f"S2_{day:02d}{name}", S2, _time(day), _ring(GRID), {"eo:cloud_cover": cloud, "platform": "sentinel-2a"}
    )


def reprocessed(item: Item) -> Item:
    """The same pass in a newer version: another id, another `updated`."""
    return replace(item, id=f"{item.id}_again", properties={**item.properties, "updated": "2023-01-01T00:00:00Z"})


def elsewhere(item: Item) -> Item:
    """A pass that misses the place by a degree."""
    return replace(item, id=f"{item.id}_elsewhere", footprint=tuple((lon + 1, lat) for lon, lat in item.footprint))


def empty(item: Item) -> Item:
    """A pass whose outline covers the place, but that has no data there."""
    return replace(item, id=f"{item.id}{EMPTY}")


def radar(day: int, hour: int, direction: str) -> Item:
    properties = {
        "sar:instrument_mode": "IW",
        "s1:polarization": "DV",
        "s1:resolution": "HIGH",
        "sat:orbit_state": direction,
        "sat:absolute_orbit": 28_000 + day,
        "sat:relative_orbit": 44 if direction == "ascending" else 139,
        "platform": "sentinel-1a",
    }
    return Item(f"S1_{day:02d}{direction}", S1, _time(day, hour), _ring(GRID), properties)


@dataclass(frozen=True)
class Checker:
    """Pixels that are a function of their place, band and item; on odd optical days the western third has no data."""

    grid: Grid = GRID
    simulated: bool = True
    catalog: tuple[Item, ...] = field(
        default=tuple(optical(day, 3.0 * day) for day in range(1, 29))
        + tuple(radar(day, 5, "descending") for day in (2, 8, 14))
        + tuple(radar(day, 17, "ascending") for day in (2, 9))
    )

    def items(self) -> tuple[Item, ...]:
        return self.catalog

    def read(
        self, collection: str, item: Item | None, bands: tuple[str, ...], window: Window
    ) -> dict[str, NDArray[Any]]:
        rows, cols = np.ogrid[window.slices]
        name = item.id if item else DEM
        return {band: self._band(name, band, rows, cols, item) for band in bands}

    def _band(self, name: str, band: str, rows: Any, cols: Any, item: Item | None) -> NDArray[Any]:
        seed = int.from_bytes(hashlib.sha256(f"{name} {band}".encode()).digest()[:4], "little")
        value = ((rows * 7919 + cols * 104_729 + seed) % 10_007) / 10_007.0
        if name.endswith(EMPTY):
            return np.zeros(value.shape, np.float32)
        if band == "dataMask":
            whole = item is None or item.collection == S1 or item.time.day % 2 == 0
            return np.broadcast_to(whole | (cols >= self.grid.width // 3), value.shape).astype(np.uint8)
        if band == "SCL":
            return np.floor(value * 12).astype(np.uint8)
        if band == "shadowMask":
            return (value > 0.9).astype(np.uint8)
        scale = {"DEM": 1500.0, "localIncidenceAngle": 80.0, "VV": 0.3, "VH": 0.1}.get(band, 1.0)
        return (value * scale).astype(np.float32)

    def whole(self, item_id: str, band: str) -> NDArray[Any]:
        """The expected pixels of an item."""
        item = next((one for one in self.catalog if one.id == item_id), None)
        return self.read(item.collection if item else DEM, item, (band,), self.grid.whole)[band]


@dataclass(frozen=True)
class Client:
    """The unmodified `sentinelhub` client, set up for one server and impatient; `options` are those of its config."""

    settings: HubSettings
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> SHConfig:
        return SHConfig(
            use_defaults=True,
            sh_client_id=self.settings.client_id,
            sh_client_secret=self.settings.client_secret,
            sh_base_url=self.settings.base_url,
            sh_token_url=self.settings.token_url,
            **{"max_download_attempts": 2, "download_sleep_time": 0.01, "max_retries": 2, **self.options},
        )

    def collection(self, base: DataCollection) -> DataCollection:
        port = self.settings.base_url.rpartition(":")[2]
        return base.define_from(f"{base.name}_{port}", service_url=self.settings.base_url)

    def request(
        self,
        script: str,
        *,
        base: DataCollection = DataCollection.SENTINEL2_L2A,
        grid: Grid = GRID,
        window: Window | None = None,
        time: tuple[Any, Any] | None = ("2019-07-01", "2019-07-31"),
        identifiers: tuple[str, ...] = ("default",),
        place: dict[str, Any] | None = None,
        other: dict[str, Any] | None = None,
        data_filter: dict[str, Any] | None = None,
        **input_args: Any,
    ) -> SentinelHubRequest:
        """`place` holds bbox, geometry, size and resolution, instead of `window` of `grid`."""
        other_args = dict(other or {})
        if data_filter:
            other_args["dataFilter"] = data_filter
        grid = grid.crop(window or grid.whole)
        return SentinelHubRequest(
            evalscript=script,
            input_data=[
                SentinelHubRequest.input_data(
                    self.collection(base), time_interval=time, other_args=other_args, **input_args
                )
            ],
            responses=[SentinelHubRequest.output_response(name, MimeType.TIFF) for name in identifiers],
            config=self.config,
            **(place or {"bbox": BBox(grid.bounds, CRS(grid.crs)), "size": (grid.width, grid.height)}),
        )

    def image(self, script: str, **kwargs: Any) -> NDArray[Any]:
        """Decoded pixels, shape ``(H, W)`` or ``(H, W, bands)``."""
        image: NDArray[Any] = self.request(script, **kwargs).get_data()[0]
        return image

    def answer(self, script: str, **kwargs: Any) -> Any:
        """The undecoded answer: body and headers."""
        return self.request(script, **kwargs).get_data(decode_data=False)[0]
