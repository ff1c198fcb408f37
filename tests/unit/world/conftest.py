"""One small world for all tests of this room: 160 x 192 pixels, twelve landslides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skred.core.events import Event
from skred.core.params import read_section
from skred.world.params import WorldParams
from skred.world.world import World, build_world

EventMaker = Callable[..., Event]


@pytest.fixture(scope="session")
def world_params() -> WorldParams:
    return read_section(Path(__file__).parents[3] / "params.yaml", "world", WorldParams)


@pytest.fixture(scope="session")
def make_event() -> EventMaker:
    def make(*, seed: int = 5, landslides: int = 12, height_m: float = 1600, width_m: float = 1920) -> Event:
        return Event.model_validate(
            {
                "name": "small",
                "title": "A small simulated storm",
                "role": "develop" if landslides else "control",
                "source": "simulated",
                "date": "2019-07-30",
                "pre": {"first": "2019-06-30", "last": "2019-07-29"},
                "post": {"first": "2019-07-31", "last": "2019-08-29"},
                "area": {"center_lonlat": [6.3, 61.5], "width_m": width_m, "height_m": height_m},
                "simulation": {"seed": seed, "landslides": landslides},
            }
        )

    return make


@pytest.fixture(scope="session")
def small_world(world_params: WorldParams, make_event: EventMaker) -> World:
    return build_world(world_params, make_event())
