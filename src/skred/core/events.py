"""Event files: what happened, where, when, and where its pixels come from (`data/events/<event>.yaml`)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from skred.core.errors import InputError
from skred.core.grid import Grid, utm_grid
from skred.core.params import Section, parse, read_yaml

Role = Literal["develop", "unseen", "control"]
Source = Literal["simulated", "sentinelhub"]


class Area(Section):
    """A rectangle of UTM pixels around a place."""

    center_lonlat: tuple[float, float]  # WGS84 degrees
    width_m: float = Field(gt=0, le=200_000)
    height_m: float = Field(gt=0, le=200_000)
    resolution_m: float = Field(default=10.0, gt=0, le=1000)

    @field_validator("center_lonlat")
    @classmethod
    def _on_earth(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not (-180 <= value[0] <= 180 and -80 <= value[1] <= 84):
            raise ValueError("[longitude -180..180, latitude -80..84], where UTM is defined")
        return value

    @property
    def grid(self) -> Grid:
        return utm_grid(self.center_lonlat, self.width_m, self.height_m, self.resolution_m)


class Days(Section):
    """A window of days in UTC, first and last day included."""

    first: dt.date
    last: dt.date

    @model_validator(mode="after")
    def _in_order(self) -> Days:
        if self.first > self.last:
            raise ValueError(f"first ({self.first}) not after last ({self.last})")
        return self


class Simulation(Section):
    """What sets one simulated place apart from another; the physics common to all is `params.yaml: world`."""

    seed: int = Field(ge=0)
    landslides: int = Field(ge=0, le=5000)  # that the storm triggers


class Event(Section):
    """One event. `develop` is split into train, validation and test; `unseen` is never trained on; `control` has no
    landslides and measures false alarms."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str = Field(min_length=1)
    role: Role
    source: Source
    date: dt.date  # UTC day on which the landslides fell
    pre: Days
    post: Days
    area: Area
    simulation: Simulation | None = None

    @field_validator("title")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("one line of text without control characters")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Event:
        if not self.pre.last < self.date:
            raise ValueError(f"pre.last ({self.pre.last}) before date ({self.date})")
        if not self.post.first > self.date:
            raise ValueError(f"post.first ({self.post.first}) after date ({self.date})")
        if self.source == "simulated":
            if self.simulation is None:
                raise ValueError("a section 'simulation' with seed and landslides, because source is simulated")
            if (self.simulation.landslides == 0) != (self.role == "control"):
                raise ValueError(
                    "simulation.landslides 0 for role control and above 0 for every other role, "
                    f"not {self.simulation.landslides} for {self.role}"
                )
        elif self.simulation is not None:
            raise ValueError(f"no section 'simulation', because source is {self.source}")
        return self


def read_event(path: Path) -> Event:
    """The event of a file, whose name must be `<name>.yaml`.

    Raises
    ------
    InputError
        The file is missing or wrong; the line names the key.
    """
    event = parse(Event, read_yaml(path), file=path)
    if path.stem != event.name:
        raise InputError(f"{path}: name: got {event.name!r}, wanted {path.stem!r}, the name of the file")
    return event
