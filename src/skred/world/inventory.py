"""The inventory: what someone who mapped the landslides would have drawn."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas
import numpy as np
import shapely
import shapely.affinity

from skred.core.grid import Grid
from skred.world.footprints import Footprint
from skred.world.noise import generator
from skred.world.params import InventoryParams


def mapped(params: InventoryParams, seed: int, grid: Grid, footprints: Sequence[Footprint]) -> geopandas.GeoDataFrame:
    """Polygons in the grid's CRS with columns `id` and `area_m2`, in the order of `footprints`.

    Each is shifted as a whole by `jitter_px` pixels in a random direction; of the small ones some are missing.
    """
    rng = generator(seed, "inventory")
    ids: list[int] = []
    polygons: list[shapely.Polygon] = []
    for footprint in footprints:
        angle, shift = rng.uniform(0, 2 * np.pi), rng.uniform(*params.jitter_px)
        overlooked = rng.random() < params.small_missing_share and footprint.area_m2 < params.small_area_m2
        if overlooked:
            continue
        right, down = shift * np.cos(angle), shift * np.sin(angle)
        size = grid.resolution_m
        matrix = [size, 0.0, 0.0, -size, grid.west + right * size, grid.north - down * size]
        ids.append(footprint.id)
        polygons.append(shapely.affinity.affine_transform(footprint.outline, matrix))
    table = {
        "id": np.array(ids, np.int64),
        "area_m2": np.array([round(polygon.area, 1) for polygon in polygons], np.float64),
    }
    return geopandas.GeoDataFrame(table, geometry=geopandas.GeoSeries(polygons, crs=grid.crs), crs=grid.crs)
