"""Section `composite` of the parameters: how a folder of raw acquisitions becomes one stack of bands."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from skred.core.params import Section

NO_DATA, UNCLASSIFIED, SNOW = 0, 7, 11  # codes of the scene classification (SCL)
ALWAYS_LISTED = frozenset(range(12)) - {UNCLASSIFIED, SNOW}


class OpticalParams(Section):
    """Which optical looks are clear, and how many a pixel needs."""

    drop_scl: tuple[int, ...]  # SCL codes that are no view of the ground
    drop_unclassified: bool  # SCL 7 too
    drop_snow: bool  # SCL 11 too
    mask_growth_m: float = Field(ge=0, le=1000)  # around cloud and cloud shadow
    min_clear: int = Field(ge=1, le=100)  # clear looks that a window needs at a pixel

    @field_validator("drop_scl")
    @classmethod
    def _codes(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if NO_DATA not in value or not set(value) <= ALWAYS_LISTED:
            raise ValueError(
                "a list of SCL codes with 0 (no data) in it, of 0 to 10 without 7 (that is drop_unclassified; "
                "11 is drop_snow)"
            )
        return value

    @property
    def dropped(self) -> frozenset[int]:
        """All SCL codes that are not clear."""
        switched = {code for code, on in ((UNCLASSIFIED, self.drop_unclassified), (SNOW, self.drop_snow)) if on}
        return frozenset(self.drop_scl) | switched


class RadarParams(Section):
    """How the passes of several radar tracks become one value."""

    mean: Literal["linear", "db"]
    min_passes: int = Field(ge=1, le=100)  # of one track, in each of the two windows
    drop_layover_shadow: bool


class CompositeParams(Section):
    """Section `composite`."""

    optical: OpticalParams
    radar: RadarParams
