"""A folder of rasters with STAC items as a source of pixels. docs/offline-hub.md describes the layout."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from shapely.errors import GEOSException, ShapelyError
from shapely.geometry import shape

from skred.core.errors import InputError
from skred.core.grid import Grid, Window
from skred.hub.band_file import BandFile, NotOnGridError, open_band
from skred.hub.errors import refuse
from skred.hub.items import BANDS, DEM, Item

# Whose no-data value says where an item has data: the measured bands, not the masks and classes made from them.
_MEASURED = ("B02", "B03", "B04", "B08", "VV", "VH", "DEM")


@dataclass(frozen=True)
class _Product:
    """An item (None for the elevation model) and where each of its bands is."""

    id: str
    collection: str
    item: Item | None
    bands: dict[str, BandFile]

    @property
    def measured(self) -> str:
        return next(name for name in _MEASURED if name in self.bands)


class FolderSource:
    """Serves what `read_folder` found.

    `simulated` is true when any file carries the tag ``simulated=yes``, as everything that skred wrote from simulated
    pixels does: then every answer says so, the real ones among them too.
    """

    def __init__(self, products: Sequence[_Product], grid: Grid, *, simulated: bool) -> None:
        self._products = {one.id: one for one in products if one.item is not None}
        self._terrain = tuple(one for one in products if one.item is None)
        self.grid, self.simulated = grid, simulated

    def items(self) -> tuple[Item, ...]:
        return tuple(one.item for one in self._products.values() if one.item is not None)

    def read(
        self, collection: str, item: Item | None, bands: tuple[str, ...], window: Window
    ) -> dict[str, NDArray[Any]]:
        """See `skred.hub.items.PixelSource`. Raises ServiceError 400 for a band that the item has no file of."""
        if item is not None and collection != DEM:
            return _read(self._products[item.id], bands, window, self.grid)
        if not self._terrain:
            refuse("input->data->type", "'dem' is not in this folder")
        parts = [_read(one, (*bands, "dataMask"), window, self.grid) for one in self._terrain]
        whole = parts[0]
        for part in parts[1:]:  # where tiles overlap, the first one in the order of their ids counts
            gap = (whole["dataMask"] == 0) & (part["dataMask"] == 1)
            whole = {name: np.where(gap, part[name], values) for name, values in whole.items()}
        return whole


def _read(product: _Product, bands: tuple[str, ...], window: Window, grid: Grid) -> dict[str, NDArray[Any]]:
    pixels: dict[str, NDArray[Any]] = {}
    for name in bands:
        if name in product.bands:
            pixels[name] = product.bands[name].read(window, grid)[0]
        elif name == "dataMask":
            pixels[name] = product.bands[product.measured].read(window, grid)[1].astype(np.uint8)
        else:
            refuse(
                "evalscript->setup->input->bands",
                f"item {product.id!r} of this folder has no band {name!r}; it has {', '.join(product.bands)}",
            )
    return pixels


def read_folder(folder: Path) -> FolderSource:
    """The items of every ``*.json`` at or below `folder` that is a STAC item.

    Raises
    ------
    InputError
        There is no item, an item is wrong, or its files do not lie on one grid. The line names the file.
    """
    products, tagged = [], False
    for file in sorted(folder.rglob("*.json")):
        data = _json(file)
        if isinstance(data, dict) and data.get("type") == "Feature" and "stac_version" in data:
            product, simulated = _product(file, data)
            products.append(product)
            tagged |= simulated
    if not products:
        raise InputError(
            f"{folder}: no STAC item in it or below; wanted *.json files with type 'Feature' and stac_version"
        )
    seen: dict[str, str] = {}
    for one in products:
        if one.id in seen:
            raise InputError(f"{folder}: two items have the id {one.id!r}; give each its own")
        seen[one.id] = one.collection
    grid = _common_grid([band for one in products for band in one.bands.values()])
    return FolderSource(sorted(products, key=lambda one: one.id), grid, simulated=tagged)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read as JSON ({error})") from error


def _product(file: Path, data: dict[str, Any]) -> tuple[_Product, bool]:
    collection = str(data.get("collection"))
    if collection not in BANDS:
        raise InputError(f"{file}: collection: got {collection!r}, wanted one of {', '.join(BANDS)}")
    if not isinstance(data.get("id"), str):
        raise InputError(f"{file}: id: got {data.get('id')!r}, wanted a text")
    bands: dict[str, BandFile] = {}
    simulated = False
    for key, asset in (data.get("assets") or {}).items():
        for index, name in enumerate(_names(key, asset), start=1):
            if name not in BANDS[collection].units:
                continue  # a thumbnail, or a band that the service has and the offline one does not serve
            bands[name], tags = _open(file, asset, index, name)
            simulated |= tags.get("simulated") == "yes"
    if not set(bands) & set(_MEASURED):
        wanted = ", ".join(name for name in BANDS[collection].units if name in _MEASURED)
        raise InputError(f"{file}: assets: none is a band of {collection}; wanted some of {wanted}")
    return _Product(data["id"], collection, _item(file, data, collection), bands), simulated


def _names(key: str, asset: dict[str, Any]) -> list[str]:
    """The bands of an asset: its list of bands (STAC 1.1, or the extension `eo` before it), else its own key."""
    listed = asset.get("bands") or asset.get("eo:bands") or []
    return [str(band.get("name")) for band in listed] or [key]


def _open(file: Path, asset: dict[str, Any], index: int, name: str) -> tuple[BandFile, dict[str, str]]:
    href = str(asset.get("href"))
    if "://" in href:
        raise InputError(f"{file}: asset {name}: got href {href!r}, wanted a path: the offline service has no network")
    listed = asset.get("bands") or asset.get("raster:bands") or [{}]
    said = listed[index - 1] if index <= len(listed) else {}
    try:
        return open_band(file.parent / href, index, name, said)
    except (RasterioError, OSError) as error:
        raise InputError(f"{file}: asset {name}: {href} cannot be read ({error})") from error


def _item(file: Path, data: dict[str, Any], collection: str) -> Item | None:
    if collection == DEM:
        return None
    properties = dict(data.get("properties") or {})
    text = properties.pop("datetime", None)
    try:
        time = dt.datetime.fromisoformat(str(text))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise InputError(f"{file}: properties.datetime: got {text!r}, wanted a time such as 2019-07-04T10:40:11Z")
    cloud = properties.get("eo:cloud_cover")
    if cloud is None:
        properties.pop("eo:cloud_cover", None)  # null: unknown
    elif isinstance(cloud, bool) or not isinstance(cloud, int | float) or not 0 <= cloud <= 100:
        raise InputError(
            f"{file}: properties.eo:cloud_cover: got {cloud!r}, wanted percent from 0 to 100, or nothing where unknown"
        )
    try:
        outline = shape(data["geometry"])
        hull = outline if outline.geom_type == "Polygon" else outline.convex_hull
        ring = tuple((float(point[0]), float(point[1])) for point in hull.exterior.coords)
    except (GEOSException, ShapelyError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"{file}: geometry: cannot be read ({error}); wanted a GeoJSON polygon in WGS84") from error
    return Item(data["id"], collection, time.astimezone(dt.UTC), ring, properties)


def _common_grid(files: Sequence[BandFile]) -> Grid:
    """The grid of the finest pixels that covers every file."""
    finest = min(files, key=lambda one: one.grid.resolution_m).grid
    for one in files:
        try:
            one.place(finest)
        except NotOnGridError as error:
            raise InputError(
                f"{one.path}: {error}; the offline service does not resample files: bring them onto one grid"
            ) from None
    boxes = [one.grid.bounds for one in files]
    west, south = min(box[0] for box in boxes), min(box[1] for box in boxes)
    east, north = max(box[2] for box in boxes), max(box[3] for box in boxes)
    step = finest.resolution_m
    return replace(
        finest, west=west, north=north, width=round((east - west) / step), height=round((north - south) / step)
    )
