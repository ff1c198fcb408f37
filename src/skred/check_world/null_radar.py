"""How much radar differs from itself: two groups of passes of one track, no event, real and simulated.

Passes of one track are averaged in linear power to 30 m, group by group; the null spread is the standard deviation of
the difference of the two groups in dB. Two ways to group: first half against second half, and alternating dates.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skred.check_world.composites import rendered
from skred.core.errors import InputError
from skred.core.events import Event
from skred.core.raster import read_raster
from skred.world.noise import Float
from skred.world.params import WorldParams
from skred.world.world import build_world

POLARISATIONS = ("VV", "VH")
FIRST, LAST = dt.date(2023, 10, 1), dt.date(2023, 12, 31)  # of the real series: 8 dates, 12 days apart
DATES, DAYS_APART = 8, 12
RADAR_M = 30.0  # pixel of the real series
# Spread in dB measured so from the real series, mean of its three bursts; docs/world.md has the command.
REAL_DB = {"VV half": 1.343, "VV alternating": 1.015, "VH half": 1.399, "VH alternating": 1.113}
_NAME = re.compile(r"_(\d{8})T\d{6}Z_\d{8}T\d{6}Z_S1[AB]_30_v1\.0_(VV|VH)\.tif$")


def spread_db(power: NDArray[np.floating], name: str) -> dict[str, float]:
    """``{"<name> half": ..., "<name> alternating": ...}`` in dB, from linear power of shape (dates, H, W); NaN is no
    data."""
    number = np.arange(len(power))
    found = {}
    for kind, first in (("half", number < len(power) // 2), ("alternating", number % 2 == 0)):
        with np.errstate(invalid="ignore", divide="ignore"):
            difference = 10 * np.log10(power[first].mean(axis=0) / power[~first].mean(axis=0))
        found[f"{name} {kind}"] = float(np.std(difference[np.isfinite(difference)]))
    return found


def half_offset_db(power: NDArray[np.floating]) -> float:
    """Mean over all pixels of the first half of the dates less the second, dB, from power (dates, H, W)."""
    first, second = power[: len(power) // 2].mean(axis=0), power[len(power) // 2 :].mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = 10 * np.log10(first / second)
    return float(np.mean(difference[np.isfinite(difference)]))


def real_spread(folder: Path) -> dict[str, dict[str, float]]:
    """The null spread of each burst of a series; raises as `real_series`."""
    return {burst: spread_of(stacks) for burst, stacks in real_series(folder).items()}


def spread_of(stacks: Mapping[str, NDArray[np.floating]]) -> dict[str, float]:
    """The null spread, by name, of a series as `real_series` or `simulated_series` give it."""
    return {key: value for name in POLARISATIONS for key, value in spread_db(stacks[name], name).items()}


def real_series(folder: Path) -> dict[str, dict[str, NDArray[np.floating]]]:
    """Linear power (dates, H, W) by burst (one folder each) and polarisation, at 30 m, NaN no data.

    Raises
    ------
    InputError
        There is no burst with `DATES` dates between `FIRST` and `LAST`.
    """
    bursts: dict[str, dict[str, NDArray[np.floating]]] = {}
    for burst in sorted(path for path in folder.iterdir() if path.is_dir()):
        found: dict[str, NDArray[np.floating]] = {}
        for name in POLARISATIONS:
            days = {
                dt.datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=dt.UTC).date(): file
                for file in sorted(burst.glob("*.tif"))
                if (match := _NAME.search(file.name)) and match[2] == name
            }
            chosen = [days[day] for day in sorted(days) if FIRST <= day <= LAST]
            if len(chosen) == DATES:
                found[name] = np.stack([read_raster(file).array[0] for file in chosen])
        if len(found) == len(POLARISATIONS):
            bursts[burst.name] = found
    if not bursts:
        raise InputError(
            f"{folder}: no burst with {DATES} dates from {FIRST} to {LAST} in VV and VH; see docs/world.md"
        )
    return bursts


def simulated_series(params: WorldParams, event: Event) -> dict[str, NDArray[np.floating]]:
    """Linear power (dates, H, W) by polarisation of the place of `event` without its storm: the number and spacing of
    dates and the pixels of the real series, one track.

    Open water, snow, layover and radar shadow are left out: the real series has none.

    Raises
    ------
    InputError
        No track of the section `world.orbits` sees the whole area, or nothing but water, snow, layover and shadow.
    """
    quiet = _quiet(event)
    orbits = params.orbits.model_copy(
        update={"radar_platforms": ("S1A",), "optical": (), "missing_share": 0.0, "cut_share": 0.0}
    )
    world = build_world(params.model_copy(update={"orbits": orbits}), quiet)
    flown = [one for one in world.acquisitions() if one.footprint_share == 1 and one.day <= quiet.pre.last]
    if not flown:
        raise InputError(
            "params: world.orbits.radar: no track with footprint_share 1, which (g) is measured on; add one"
        )
    track = (flown[0].orbit_direction, flown[0].relative_orbit)
    flown = [one for one in flown if (one.orbit_direction, one.relative_orbit) == track][:DATES]
    ground, whole = world.ground, world.grid.whole
    first = (flown[0].day - quiet.date).days
    bad = (ground.landcover.cover == 0) | (ground.change.snow_day > first)
    bad |= world.viewing(*track, whole)["shadowMask"] > 0
    if bad.all():
        raise InputError(f"event {event.name}: nothing but water, snow, layover or shadow to measure (g) on; move it")
    side = round(RADAR_M / world.grid.resolution_m)
    stacks: dict[str, list[Float]] = {name: [] for name in POLARISATIONS}
    for look in rendered(world, flown):
        for name in POLARISATIONS:
            stacks[name].append(coarser(np.where(bad, np.nan, look[name]), side))
    return {name: np.stack(stack) for name, stack in stacks.items()}


def coarser(power: NDArray[np.floating], side: int) -> Float:
    """Mean power of blocks of `side` pixels, NaN where any pixel is."""
    rows, cols = power.shape[0] // side, power.shape[1] // side
    blocks = power[: rows * side, : cols * side].reshape(rows, side, cols, side)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _quiet(event: Event) -> Event:
    """The same place without a storm, and a window before it that holds all dates."""
    days = dt.timedelta(days=DATES * DAYS_APART + 2)
    table = event.model_dump() | {"role": "control", "name": "quiet"}
    table["simulation"] = {"seed": event.simulation.seed if event.simulation else 0, "landslides": 0}
    end = event.post.last
    table["pre"] = {"first": end - days, "last": end - dt.timedelta(days=1)}
    table["date"], table["post"] = end, {"first": end + dt.timedelta(days=1), "last": end + dt.timedelta(days=2)}
    return Event.model_validate(table)
