"""The section `scores` of params.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from skred.core.params import Section
from skred.scores.bootstrap import Method


class ScoreParams(Section):
    """How scores and their intervals are taken; every key is explained in params.yaml."""

    block_px: int = Field(ge=8, le=4096)
    nearby_blocks: int = Field(ge=1, le=64)
    replicates: int = Field(ge=99, le=20_000)
    interval: Method
    min_blocks: int = Field(ge=2)
    min_landslides: int = Field(ge=1)
    overlap_share: float = Field(gt=0, le=1)
    units_px: tuple[int, ...] = Field(min_length=1)
    chance_shifts: int = Field(ge=1, le=10_000)
    calibration: Literal["none", "temperature", "isotonic", "best"]
    min_seeds: int = Field(ge=2)
    seed: int = Field(ge=0)

    @field_validator("units_px")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if value[0] < 1 or list(value) != sorted(set(value)):
            raise ValueError("whole pixels from 1 on, rising, none twice")
        return value


class ImportanceParams(Section):
    """The section `importance` of experiments/importance: how bands are shuffled."""

    block_px: int = Field(ge=8, le=4096)
    nearby_blocks: int = Field(ge=1, le=64)
    repeats: int = Field(ge=1, le=100)
    replicates: int = Field(ge=99, le=20_000)
    seed: int = Field(ge=0)
