"""The section `map` of params.yaml."""

from __future__ import annotations

from pydantic import Field

from skred.core.params import Section


class MapParams(Section):
    """`map.polygons`: how probabilities become polygons. The threshold is the model's own."""

    min_area_m2: float | None = Field(ge=0)  # minimum mapping unit; None: the one that was chosen on validation
    fill_holes_m2: float = Field(ge=0)  # holes up to this area inside a landslide belong to it
