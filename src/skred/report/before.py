"""The picture before the storm: composites hold colours after the event only, so it is made from the download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.composite import optical
from skred.composite.params import CompositeParams
from skred.composite.raw import acquisitions, read_ahead, read_codes
from skred.core.grid import Grid
from skred.manifest import read_manifest


def colours_before(raw: Path, grid: Grid, params: CompositeParams) -> NDArray[np.float32]:
    """Red, green and blue reflectance ``(3, H, W)`` of the greenest look before the event, as the composite has it
    after; NaN without a clear look. Raises as `skred.composite.build.build`."""
    manifest = read_manifest(raw)
    growth_px = params.optical.mask_growth_m / grid.resolution_m

    def looks() -> Iterator[tuple[NDArray[np.uint16], NDArray[np.bool_]]]:
        files = [entry.file for entry in acquisitions(manifest, "S2", "pre")]
        codes: NDArray[Any]
        for codes in read_ahead(lambda file: read_codes(raw, file, (*optical.COLOURS, "SCL"), grid), files):
            yield codes[:-1], optical.clear_mask(codes[-1], params.optical.dropped, growth_px)

    blue, green, red, _ = optical.greenest(looks(), grid.shape).colours
    return np.stack([red, green, blue])
