"""The section `cart` of params.yaml."""

from __future__ import annotations

from pydantic import Field

from skred.core.params import Section


class Params(Section):
    """How the tree is grown; every key is explained in params.yaml."""

    max_pixels: int = Field(ge=1000)
    max_depth: int = Field(ge=1, le=64)
    min_leaf_pixels: int = Field(ge=1)
    seed: int = Field(ge=0)
