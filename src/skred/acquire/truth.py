"""What only the maker of a simulated world knows: where each landslide lies, and what a mapper drew of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from skred.core.errors import SkredError
from skred.core.events import Event
from skred.core.grid import Grid
from skred.core.params import read_section
from skred.core.raster import Raster, write_cog
from skred.world.confounders import Confounder
from skred.world.params import WorldParams
from skred.world.world import build_world


@dataclass(frozen=True)
class WorldTruth:
    """`inventory`: the polygons of an imperfect mapper; `landslide`: uint8 of shape ``(H, W)``, 1 on landslides;
    `confounder`: uint8 of the same shape, codes of `skred.world.confounders.Confounder`, 0 for none."""

    grid: Grid
    inventory: gpd.GeoDataFrame
    landslide: NDArray[np.uint8]
    confounder: NDArray[np.uint8]

    def write(self, path: Path) -> None:
        """Write the truth as a COG. It reaches no training: only `evaluate` reads it.

        Raises
        ------
        SkredError
            The disk is full or the folder cannot be written.
        """
        names = ",".join(f"{code.value}={code.name.lower()}" for code in Confounder)
        bands = np.stack([self.landslide, self.confounder])
        tags = {"simulated": "yes", "confounders": names}
        raster = Raster(bands, self.grid, ("landslide", "confounder"), ("1", "1"), None, tags)
        try:
            write_cog(path, raster)
        except OSError as error:
            raise SkredError(
                f"{path}: cannot be written ({error}); make room or mend the folder, then run the download again: "
                "what has been fetched is kept"
            ) from error


def world_truth(event: Event, params_file: Path) -> WorldTruth:
    """The truth of a simulated event."""
    world = build_world(read_section(params_file, "world", WorldParams), event)
    return WorldTruth(event.area.grid, world.inventory(), world.truth(), world.confounders())
