"""The section `unet` of params.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from skred.core.params import Section


class Params(Section):
    """How the U-Net is built and trained; every key is explained in params.yaml."""

    depth: int = Field(ge=1, le=6)
    base_filters: int = Field(ge=4, le=256)
    dropout: float = Field(ge=0, lt=1)
    loss: Literal["bce", "bce_dice", "focal"]
    augment: bool
    crop_px: int = Field(ge=16)
    windows_per_epoch: int = Field(ge=1)
    landslide_share: float = Field(ge=0, le=1)
    batch: int = Field(ge=1)
    epochs: int = Field(ge=1)
    patience_epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0, le=1)
    weight_decay: float = Field(ge=0, le=1)
    schedule: Literal["cosine", "constant"]
    predict_window_px: int = Field(ge=32, le=2048)
    predict_margin_px: int = Field(ge=0)
    predict_batch: int = Field(ge=1)
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]
    members: int = Field(default=1, ge=1, le=32)
    seed: int = Field(ge=0, lt=2**31)

    @model_validator(mode="after")
    def _fits(self) -> Params:
        if self.crop_px % 2**self.depth:
            raise ValueError(f"crop_px: got {self.crop_px}, wanted a multiple of 2^depth ({2**self.depth})")
        if self.predict_window_px % 2**self.depth:
            raise ValueError(
                f"predict_window_px: got {self.predict_window_px}, wanted a multiple of 2^depth ({2**self.depth})"
            )
        if self.predict_window_px <= 2 * self.predict_margin_px:
            raise ValueError(
                f"predict_window_px: got {self.predict_window_px}, wanted more than twice predict_margin_px "
                f"({self.predict_margin_px})"
            )
        return self
