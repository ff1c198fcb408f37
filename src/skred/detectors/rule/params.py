"""The section `rule` of params.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from skred.core.params import Section


class Params(Section):
    """What the rule may choose from; every key is explained in params.yaml."""

    slopes_deg: tuple[Annotated[float, Field(ge=0, lt=90)], ...] = Field(min_length=1)
