"""The one table of bands: what each band of a composite is, and what a setting may name.

A composite holds one band per row of `EVENT_BANDS`, in this order, as float32 with NaN where unknown.
Imported images may bring other bands of the same type (`Band`), described in their band table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from skred.core.errors import InputError
from skred.core.params import Section

Sensor = Literal["optical", "radar", "terrain"]
SENSORS: tuple[Sensor, ...] = ("optical", "radar", "terrain")


def _in_order(value: tuple[float, float]) -> tuple[float, float]:
    if not value[0] < value[1]:
        raise ValueError("[low, high] with low < high")
    return value


BandName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Clip = Annotated[tuple[float, float], AfterValidator(_in_order)]


class Band(Section):
    """One band of a composite, in memory and on disk always float32 with NaN for "unknown".

    `clip` is the range, in `unit`, that a model is shown: values outside are set to its ends, so that one
    speckle spike or one missed cloud does not set the scale of the band.
    """

    name: BandName
    meaning: str
    unit: str
    sensor: Sensor
    clip: Clip


def _band(name: str, sensor: Sensor, unit: str, clip: tuple[float, float], meaning: str) -> Band:
    return Band(name=name, meaning=meaning, unit=unit, sensor=sensor, clip=clip)


_GREENEST = "on the date after the event when the pixel was greenest"

EVENT_BANDS: tuple[Band, ...] = (
    _band("post_red", "optical", "reflectance", (0.0, 0.5), f"red reflectance (B04) {_GREENEST}"),
    _band("post_green", "optical", "reflectance", (0.0, 0.5), f"green reflectance (B03) {_GREENEST}"),
    _band("post_blue", "optical", "reflectance", (0.0, 0.5), f"blue reflectance (B02) {_GREENEST}"),
    _band("post_nir", "optical", "reflectance", (0.0, 0.7), f"near-infrared reflectance (B08) {_GREENEST}"),
    _band("pre_ndvi", "optical", "1", (-0.2, 1.0), "largest NDVI before the event"),
    _band("post_ndvi", "optical", "1", (-0.2, 1.0), "largest NDVI after the event"),
    _band("dndvi", "optical", "1", (-1.0, 1.0), "largest NDVI after minus before: a landslide is negative"),
    _band("pre_vv", "radar", "dB", (-25.0, 5.0), "VV gamma0 before the event, mean power of both orbit directions"),
    _band("post_vv", "radar", "dB", (-25.0, 5.0), "VV gamma0 after the event, mean power of both orbit directions"),
    _band("pre_vh", "radar", "dB", (-32.0, -2.0), "VH gamma0 before the event, mean power of both orbit directions"),
    _band("post_vh", "radar", "dB", (-32.0, -2.0), "VH gamma0 after the event, mean power of both orbit directions"),
    _band("elevation", "terrain", "m", (0.0, 2500.0), "height of the digital elevation model"),
    _band("slope", "terrain", "degree", (0.0, 70.0), "slope of the digital elevation model"),
)


def band_names(bands: Iterable[Band]) -> tuple[str, ...]:
    """The names of `bands`, in their order."""
    return tuple(band.name for band in bands)


def select(bands: Sequence[Band], names: Sequence[str], *, where: str) -> tuple[Band, ...]:
    """The bands called `names`, in the order of `names`.

    Raises
    ------
    InputError
        A name that `bands` does not have, or a name twice; `where` says who asked.
    """
    table: Mapping[str, Band] = {band.name: band for band in bands}
    missing = [name for name in names if name not in table]
    if missing:
        raise InputError(f"{where}: no band called {', '.join(missing)}; there are {', '.join(table)}")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise InputError(f"{where}: {', '.join(twice)} named twice; name each band once")
    return tuple(table[name] for name in names)
