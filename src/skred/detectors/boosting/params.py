"""The section `boosting` of params.yaml."""

from __future__ import annotations

from pydantic import Field

from skred.core.params import Section


class Params(Section):
    """How the trees are boosted; every key is explained in params.yaml."""

    max_pixels: int = Field(ge=1000)
    trees: int = Field(ge=1, le=2000)
    learning_rate: float = Field(gt=0, le=1)
    leaves: int = Field(ge=2, le=255)
    min_leaf_pixels: int = Field(ge=1)
    seed: int = Field(ge=0, lt=2**32)
