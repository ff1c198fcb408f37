"""What may be taken for a fresh landslide and is none, pixel by pixel, from what the simulated world did there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.events import Event
from skred.world.change import NEVER
from skred.world.ground import Ground


class Confounder(IntEnum):
    """Codes of the band ``confounder`` of a truth raster; 0 is none. Where several hold, the pixel has the first."""

    UNMAPPED_LANDSLIDE = 1  # a landslide lies there, whatever the inventory says: where it is not mapped, or not quite
    PLOUGHED = 2  # meadow harvested bare, 4 days before to 8 days after the storm
    FELLED = 3  # a stand cut within the two windows
    ERODED_BANK = 4  # the main river took its bank away
    FLOOD_DEPOSIT = 5  # fresh stones and mud along a stream
    MOWN = 6  # meadow cut once, from 20 days before the first window to the end of the second
    MELTING_SNOW = 7  # snow lay on the first day of the first window, whether it melts in the windows or later
    CLOUD_REMNANT = 8  # after the event, every look that composites keep there is cloud, cirrus or cloud shadow
    RADAR_SHADOW = 9  # layover or radar shadow on at least half of the tracks, so that few looks are left


@dataclass(frozen=True)
class ClearRule:
    """Which looks a composite keeps at a pixel, by the scene classification (SCL).

    Codes in `dropped` are not kept, nor what is within `growth_m` of those that are also in `grown`; a pixel with fewer
    than `min_clear` kept looks is unknown. The truth is written with the download, before there are composites, so
    these are the numbers of the section `composite` as committed; a test holds both equal.
    """

    dropped: frozenset[int] = frozenset({0, 1, 3, 8, 9, 10, 11})
    grown: frozenset[int] = frozenset({3, 8, 9, 10})
    growth_m: float = 20.0
    min_clear: int = 1

    def kept(self, scl: NDArray[Any], pixel_m: float) -> NDArray[np.bool_]:
        """Where a look is kept, from its scene classification, both of shape (H, W)."""
        kept = ~np.isin(scl, list(self.dropped))
        near = np.isin(scl, list(self.dropped & self.grown))
        if near.any():
            kept &= ndimage.distance_transform_edt(~near) > self.growth_m / pixel_m
        return kept


COMMITTED = ClearRule()


@dataclass(frozen=True)
class Seen:
    """What satellites could not show, each of shape (H, W): `cloud_remnant` and `radar_shadow`, as in `Confounder`."""

    cloud_remnant: NDArray[np.bool_]
    radar_shadow: NDArray[np.bool_]


def confounder_codes(event: Event, ground: Ground, seen: Seen) -> NDArray[np.uint8]:
    """Codes of shape (H, W); sediment counts where it covers a quarter of a pixel: less changes its colour little."""
    change = ground.change
    first = (event.pre.first - event.date).days
    where = {
        Confounder.UNMAPPED_LANDSLIDE: ground.slides.share > 0,
        Confounder.PLOUGHED: change.ploughed,
        Confounder.FELLED: change.cut_day < NEVER,
        Confounder.ERODED_BANK: change.bank > 0.25,
        Confounder.FLOOD_DEPOSIT: change.flood > 0.25,
        Confounder.MOWN: change.mown_day < NEVER,
        Confounder.MELTING_SNOW: change.snow_day > first,
        Confounder.CLOUD_REMNANT: seen.cloud_remnant,
        Confounder.RADAR_SHADOW: seen.radar_shadow,
    }
    codes = np.zeros(ground.grid.shape, np.uint8)
    for code in reversed(Confounder):
        codes[where[code]] = code
    return codes
