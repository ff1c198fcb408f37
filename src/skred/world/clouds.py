"""Cloud over an area, date by date: where, how thick, and where its shadow falls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from skred.core.events import Event
from skred.core.grid import Window
from skred.world.noise import Float, correlated, from_nodes, generator
from skred.world.params import OpticsParams
from skred.world.sun import Sun

NODE_PX = 8
WITHIN = 0.75  # standard deviation of cloudiness inside an area, against 1 between days
OVERCAST = 2.0  # cloudiness of a day of which nothing else is known


@dataclass(frozen=True)
class CloudField:
    """Cloudiness of one date on coarse nodes around the area: above 0 there is cloud, above `edge` it is full.

    `veil` is the reflectance of cirrus on the same nodes, None on a date without.
    """

    nodes: Float
    offset_px: float
    height_m: float
    haze: float
    edge: float
    veil: Float | None = None

    def opacity(self, window: Window) -> Float:
        """Share of the ground's light that the cloud above a pixel replaces, 0 to 1, shape ``(H, W)``."""
        return _ramp(from_nodes(self.nodes, NODE_PX, (self.offset_px, self.offset_px), window), self.edge)

    def thickness(self, window: Window) -> Float:
        """How thick the cloud is, 0 to 1: thick cloud is whiter, shape ``(H, W)``."""
        cloudiness = from_nodes(self.nodes, NODE_PX, (self.offset_px, self.offset_px), window)
        return np.asarray(np.clip(cloudiness / 1.5, 0, 1), dtype=np.float32)

    def cirrus(self, window: Window) -> Float:
        """Reflectance that cirrus adds, shape ``(H, W)``."""
        if self.veil is None:
            return np.zeros((window.height, window.width), np.float32)
        return from_nodes(self.veil, NODE_PX, (self.offset_px, self.offset_px), window)

    def shadow(self, window: Window, sun: Sun, pixel_m: float) -> Float:
        """Share of the direct sunlight that cloud takes from a pixel, 0 to 1, shape ``(H, W)``."""
        away_px = self.height_m / np.tan(np.radians(max(sun.elevation_deg, 10.0))) / pixel_m
        # Look from the ground towards the sun: the cloud in the way lies at that azimuth.
        angle = np.radians(sun.azimuth_deg)
        shift = (self.offset_px - np.cos(angle) * away_px, self.offset_px + np.sin(angle) * away_px)
        return _ramp(from_nodes(self.nodes, NODE_PX, shift, window), self.edge)


def _ramp(cloudiness: Float, edge: float) -> Float:
    share = np.clip(cloudiness / np.float32(edge), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), dtype=np.float32)


def weather(params: OpticsParams, seed: int, event: Event, looks: Collection[dt.date]) -> dict[dt.date, float]:
    """Cloudiness of each day on which there is a look: a day's mean of the field whose zero is a cloud's edge.

    Weather lasts (autoregression with the time constant `cloud_persistence_days`). Within each window the looks are
    ranked, so that with few of them seeds and windows still get the share of clear sky that the parameters say, each
    in its own order. Looks between the two windows, after the day of the storm at most, are overcast.
    """
    keep = float(np.exp(-1 / params.cloud_persistence_days))
    found = dict.fromkeys(looks, OVERCAST)
    for label, days, clear in (
        ("pre", event.pre, params.clear_share_before),
        ("post", event.post, params.clear_share_after),
    ):
        rng = generator(seed, "weather", label)
        state, states = float(rng.standard_normal()), {}
        for i in range((days.last - days.first).days + 1):
            states[days.first + dt.timedelta(days=i)] = state
            state = keep * state + float(np.sqrt(1 - keep**2) * rng.standard_normal())
        dates = sorted(set(looks) & set(states), key=lambda day: states[day])
        between = norm.ppf((np.arange(len(dates)) + 0.5) / max(len(dates), 1))
        edge = norm.ppf(np.clip(1 - clear, 1e-3, 1 - 1e-3)) * np.hypot(1, WITHIN)
        found |= {date: float(value + edge) for date, value in zip(dates, between, strict=True)}
    return found


def cloud_field(
    params: OpticsParams, seed: int, day: dt.date, *, cloudiness: float, height_m: Float, pixel_m: float
) -> CloudField:
    """The cloud of one date: blobs of 0.2 to 12 km, more of it over high ground."""
    rng = generator(seed, "cloud", day.isoformat())
    base_m = float(rng.uniform(1200, 2600))
    margin = int(np.ceil(base_m / np.tan(np.radians(20.0)) / pixel_m / NODE_PX)) + 2
    shape = (height_m.shape[0] // NODE_PX + 2 + 2 * margin, height_m.shape[1] // NODE_PX + 2 + 2 * margin)
    field = np.zeros(shape, np.float32)
    for scale_m, weight in [(12_000, 0.62), (4_500, 0.55), (1_500, 0.42), (500, 0.30), (220, 0.20)]:
        field += weight * correlated(rng, shape, pixel_m=NODE_PX * pixel_m, scale_m=scale_m)
    ground = height_m[::NODE_PX, ::NODE_PX]
    lift = np.pad((ground - ground.mean()) / 1000, margin + 1, mode="edge")[1 : shape[0] + 1, 1 : shape[1] + 1]
    lift = np.pad(lift, ((0, shape[0] - lift.shape[0]), (0, shape[1] - lift.shape[1])), mode="edge")
    # The weights above add up to a standard deviation of about one.
    nodes = WITHIN * field + 0.35 * lift + np.float32(cloudiness)
    haze = params.haze_reflectance * float(rng.random()) ** 2
    veil = None
    if rng.random() < params.cirrus_share:
        streaks = correlated(rng, shape, pixel_m=NODE_PX * pixel_m, scale_m=9000)
        veil = (np.clip(streaks / 2, 0, 1) * params.cirrus_reflectance).astype(np.float32)
    return CloudField(nodes.astype(np.float32), float(margin * NODE_PX), base_m, haze, params.cloud_edge, veil)


def cover_percent(field: CloudField, shape: tuple[int, int]) -> float:
    """Share of an area under cloud, in percent with two decimals."""
    margin = int(field.offset_px // NODE_PX)
    inner = field.nodes[margin : margin + shape[0] // NODE_PX + 1, margin : margin + shape[1] // NODE_PX + 1]
    return round(float((_ramp(inner, field.edge) > 0.25).mean()) * 100, 2)
