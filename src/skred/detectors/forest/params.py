"""The section `forest` of params.yaml."""

from __future__ import annotations

from pydantic import Field

from skred.core.params import Section


class Params(Section):
    """How the forest is grown; every key is explained in params.yaml."""

    max_pixels: int = Field(ge=1000)
    trees: int = Field(ge=1, le=2000)
    min_leaf_pixels: tuple[int, ...] = Field(min_length=1)
    seed: int = Field(ge=0, lt=2**32)
