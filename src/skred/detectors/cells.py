"""The sections `cells` and `settings` of params.yaml: what is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from skred.core.params import Section

Setting = Annotated[tuple[str, ...], Field(min_length=1)]  # names of bands


class Cell(Section):
    """One setting with one detector, trained on one set of patches."""

    setting: str
    detector: Literal["unet", "cart", "cart_context", "forest", "boosting", "rule"]
    patches: str
    seed: int | None = None  # of this cell's training instead of its detector's own


class EarlyCell(Section):
    """A model of the root pipeline on composites of the first days after the event."""

    setting: str
    detector: Literal["unet", "cart", "cart_context", "forest", "boosting", "rule"]
    days: int = Field(ge=1)
