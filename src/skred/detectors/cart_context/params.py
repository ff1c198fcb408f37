"""The section `cart_context` of params.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from skred.core.params import Section


class Params(Section):
    """How the tree is grown and what it sees around a pixel; every key is explained in params.yaml."""

    max_pixels: int = Field(ge=1000)
    max_depth: int = Field(ge=1, le=64)
    min_leaf_pixels: int = Field(ge=1)
    radii_px: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field(min_length=1)
    seed: int = Field(ge=0, lt=2**32)
