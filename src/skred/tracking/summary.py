"""What a sync tells."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Summary:
    """What a sync did, by cell: ``fusion-unet``, or ``<experiment>/fusion-unet``; and by pipeline:
    ``comparisons/skred`` for the one at the root, ``comparisons/<experiment>``."""

    store: str
    recorded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)  # with the reason

    def __str__(self) -> str:
        counts = f"{len(self.recorded)} recorded, {len(self.unchanged)} unchanged, {len(self.skipped)} skipped"
        reasons = [f"  {cell}: {why}" for cell, why in self.skipped.items()]
        return "\n".join([f"MLflow, {self.store}: {counts}", *reasons])
