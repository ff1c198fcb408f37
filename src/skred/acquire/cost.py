"""What a request costs: processing units and bytes, known before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skred.acquire.bodies import Product
from skred.core.grid import Grid, tiles

_UNIT_PX = 512 * 512  # pixels that one unit pays, of three 16-bit bands
_SMALLEST_AREA = 0.01  # of that area, that every request pays
_SMALLEST = 0.005  # units


@dataclass(frozen=True)
class Cost:
    """Of some images: requests, bytes of their pixels without compression, processing units (PU)."""

    images: int = 0
    requests: int = 0
    pixel_bytes: int = 0
    units: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.images + other.images,
            self.requests + other.requests,
            self.pixel_bytes + other.pixel_bytes,
            self.units + other.units,
        )


def processing_units(product: Product, grid: Grid) -> float:
    """Processing units of one request for `product` on `grid`.

    ``(width x height / 512², at least 0.01) x (bands / 3) x (2 for 32-bit output) x (2.5 for radar with corrected
    terrain)``, at least 0.005. Our scripts read the bands that they give, and dataMask, which is free. From the
    service's documentation of March 2025.
    """
    area = max(grid.width * grid.height / _UNIT_PX, _SMALLEST_AREA)
    depth = 2 if np.dtype(product.dtype).itemsize == 4 else 1
    return float(max(area * len(product.names) / 3 * depth * product.unit_factor, _SMALLEST))


def cost_of(product: Product, grid: Grid, tile_px: int) -> Cost:
    """The cost of one image, asked for in tiles."""
    parts = [grid.crop(window) for window in tiles(*grid.shape, tile_px)]
    return Cost(
        images=1,
        requests=len(parts),
        pixel_bytes=grid.width * grid.height * len(product.names) * np.dtype(product.dtype).itemsize,
        units=sum(processing_units(product, part) for part in parts),
    )
