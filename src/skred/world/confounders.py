"""What may be taken for a fresh landslide and is none, pixel by pixel, from what the simulated world did there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from skred.core.events import Event
from skred.world.change import NEVER
from skred.world.ground import Ground


class Confounder(IntEnum):
    """Codes of the band ``confounder`` of a truth raster; 0 is none. Where several hold, the pixel has the first."""

    UNMAPPED_LANDSLIDE = 1  # a landslide lies there, whatever the inventory says: where it is not mapped, or not quite
    PLOUGHED = 2  # meadow harvested bare within days of the storm
    FELLED = 3  # a stand cut within the two windows
    ERODED_BANK = 4  # the main river took its bank away
    FLOOD_DEPOSIT = 5  # fresh stones and mud along a stream
    MOWN = 6  # meadow cut at any date that still shows in the windows
    MELTING_SNOW = 7  # snow on some of the days before the event
    CLOUD_REMNANT = 8  # after the event, every look that the scene classification shows is cloud, cirrus or its shadow
    RADAR_SHADOW = 9  # layover or radar shadow on at least half of the tracks, so that few looks are left


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
