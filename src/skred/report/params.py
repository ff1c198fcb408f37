"""The section `report` of params.yaml."""

from __future__ import annotations

from pydantic import Field

from skred.core.params import Section


class ReportParams(Section):
    """How the page is made."""

    levels: int = Field(ge=8, le=250)  # steps of a data layer's palette; its value under the pointer is that exact
    photo_quality: int = Field(ge=30, le=95)  # of WebP pictures in true colour
    reflectance_max: float = Field(gt=0, le=1)  # reflectance that is shown white
    max_mb: float = Field(gt=0)  # the page may not be larger
