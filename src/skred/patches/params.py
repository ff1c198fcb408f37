"""The sections `patch` and `patches` of params.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from skred.core.params import Section

SplitKind = Literal["blocks", "random", "scenes"]


class PatchParams(Section):
    """How scenes are divided and cut."""

    window_px: int = Field(ge=16, le=1024)
    stride_px: int = Field(ge=1)
    block_px: int = Field(ge=16)
    buffer_px: int = Field(ge=0)
    val_share: float = Field(ge=0.01, lt=1)
    test_share: float = Field(ge=0, lt=1)
    draws: int = Field(ge=1, le=100_000)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> PatchParams:
        if self.buffer_px * 2 < self.window_px:
            raise ValueError(f"buffer_px: got {self.buffer_px}, wanted at least half of window_px ({self.window_px})")
        if self.block_px < self.window_px:
            raise ValueError(f"block_px: got {self.block_px}, wanted at least window_px ({self.window_px})")
        if 0 < self.test_share < 0.01:
            raise ValueError(f"test_share: got {self.test_share}, wanted 0 (none) or at least 0.01")
        if self.val_share + self.test_share >= 1:
            raise ValueError(f"val_share + test_share: got {self.val_share + self.test_share:g}, wanted less than 1")
        return self


class PatchSet(Section):
    """One set of patches: which scenes, divided how.

    ``blocks``: spatial blocks with a buffer. ``random``: windows drawn at random, no buffer: the kind split that
    flatters. ``scenes``: whole scenes, by the folder they were imported from.
    """

    scenes: str
    split: SplitKind
