"""Where the sun stands."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from skred.world.noise import Float


class Sun(NamedTuple):
    """Elevation above the horizon and azimuth clockwise from north, degrees."""

    elevation_deg: float
    azimuth_deg: float


def sun_position(time: dt.datetime, lon: float, lat: float) -> Sun:
    """Position of the sun at a UTC time (Spencer 1971, series for declination and the equation of time; ±0.1°)."""
    hours = time.hour + time.minute / 60 + time.second / 3600
    year_angle = 2 * np.pi * (time.timetuple().tm_yday - 1 + (hours - 12) / 24) / 365
    c, s = np.cos, np.sin
    declination = (
        0.006918
        - 0.399912 * c(year_angle)
        + 0.070257 * s(year_angle)
        - 0.006758 * c(2 * year_angle)
        + 0.000907 * s(2 * year_angle)
        - 0.002697 * c(3 * year_angle)
        + 0.00148 * s(3 * year_angle)
    )
    minutes = 229.18 * (
        0.000075
        + 0.001868 * c(year_angle)
        - 0.032077 * s(year_angle)
        - 0.014615 * c(2 * year_angle)
        - 0.040849 * s(2 * year_angle)
    )
    turn = np.radians((hours + lon / 15 + minutes / 60 - 12) * 15)
    phi = np.radians(lat)
    height = np.arcsin(s(phi) * s(declination) + c(phi) * c(declination) * c(turn))
    azimuth = np.arctan2(s(turn), c(turn) * s(phi) - np.tan(declination) * c(phi)) + np.pi
    return Sun(float(np.degrees(height)), float(np.degrees(azimuth) % 360))


def horizon_deg(wide_m: Float, margin_px: int, pixel_m: float, azimuth_deg: float, reach_m: float = 2500.0) -> Float:
    """Elevation angle of the horizon in one direction, for the area inside the margin, shape ``(H, W)``.

    Ground is in cast shadow when the sun stands below it. Seen in steps of two pixels on ground halved in
    resolution: shadow edges are soft at that scale.
    """
    rows, cols = -wide_m.shape[0] % 2, -wide_m.shape[1] % 2
    padded = np.pad(wide_m, ((0, rows), (0, cols)), mode="edge")
    small = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2).mean(axis=(1, 3)).astype(np.float32)
    angle = np.radians(azimuth_deg)
    tangent = np.full(small.shape, -1.0, np.float32)
    cell_m = 2 * pixel_m
    step = 1.5
    distance = step
    while distance * cell_m < reach_m:
        down, right = round(-np.cos(angle) * distance), round(np.sin(angle) * distance)
        run = float(np.hypot(down, right)) * cell_m
        here, there = _shifted(small.shape, down, right)
        if run > 0 and here is not None:
            np.maximum(tangent[here], (small[there] - small[here]) / np.float32(run), out=tangent[here])
        distance += step
        step *= 1.04  # far ridges need less care than near ones
    grown = ndimage.zoom(np.degrees(np.arctan(tangent)), 2, order=1, grid_mode=True, mode="nearest")
    return np.ascontiguousarray(grown[: wide_m.shape[0], : wide_m.shape[1]][margin_px:-margin_px, margin_px:-margin_px])


def _shifted(
    shape: tuple[int, int], down: int, right: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | tuple[None, None]:
    if abs(down) >= shape[0] or abs(right) >= shape[1]:
        return None, None
    here = slice(max(0, -down), shape[0] - max(0, down)), slice(max(0, -right), shape[1] - max(0, right))
    there = slice(max(0, down), shape[0] - max(0, -down)), slice(max(0, right), shape[1] - max(0, -right))
    return here, there
