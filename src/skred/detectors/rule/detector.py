"""The rule to beat: where vegetation was lost on steep ground (NDVI after minus before, and slope; Notti et al. 2023).

The probability is the loss of NDVI where the slope exceeds the limit and 0 elsewhere, so that the threshold on it,
chosen as for every detector, is the rule's threshold on NDVI.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skred.core.errors import InputError
from skred.core.json_file import read_json, write_json
from skred.core.params import Section, parse
from skred.detectors.base import Fitted, Sliding
from skred.detectors.inputs import Inputs
from skred.detectors.rule.params import Params
from skred.detectors.training import Training
from skred.scores.bins import best_threshold, count_bins

_FILE = "rule.json"
_SLIDING = Sliding(window_px=512, margin_px=0, batch=1)


class Channel(Section):
    """Where a band stands among the channels, and how it was normalised."""

    index: int
    mean: float
    std: float

    def raw(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The band's own values from channels (..., C)."""
        return np.asarray(x[..., self.index] * self.std + self.mean, np.float32)


class Rule(Section):
    """Loss of NDVI on ground steeper than `slope_deg`; where optics saw nothing (`valid` 0) there is none."""

    dndvi: Channel
    slope: Channel
    valid: int  # channel
    slope_deg: float

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `skred.detectors.base.Detector.predict`."""
        steep = self.slope.raw(x) > self.slope_deg
        loss = np.clip(-self.dndvi.raw(x), 0, 1)
        return np.where(steep & (x[..., self.valid] > 0), loss, np.float32(0))

    def save(self, folder: Path) -> None:
        """Write ``rule.json``."""
        write_json(folder / _FILE, self.model_dump(mode="json"))


def load(folder: Path) -> Rule:
    """Raises InputError if the folder has no rule."""
    file = folder / _FILE
    return parse(Rule, read_json(file, "train the model or `dvc pull` it"), file=file)


def fit(training: Training, params: Params) -> Fitted:
    """Choose the slope with the largest MCC on validation, at that slope's best threshold; the gentler of equals.

    Raises
    ------
    InputError
        The setting has no band dndvi or no band slope.
    """
    x, y, seen = training.validation.pixels()
    history: list[dict[str, float]] = []
    best: tuple[float, Rule] | None = None
    for step, slope_deg in enumerate(sorted(params.slopes_deg), start=1):
        rule = Rule(
            dndvi=_channel(training.inputs, "dndvi"),
            slope=_channel(training.inputs, "slope"),
            valid=training.inputs.channel_names.index("optical_valid"),
            slope_deg=slope_deg,
        )
        counts = count_bins(np.where(seen, rule.predict(x), np.float32(0)), y)
        mcc = counts.at(best_threshold(counts)).mcc or 0.0
        history.append({"step": float(step), "slope_deg": slope_deg, "mcc": mcc, "val_auprc": counts.auprc() or 0.0})
        training.report(step, history[-1])
        if best is None or mcc > best[0] + 1e-12:
            best = mcc, rule
    assert best is not None  # noqa: S101 - there is at least one slope
    return Fitted(best[1], _SLIDING, history, {"slope_deg": best[1].slope_deg})


def _channel(inputs: Inputs, band: str) -> Channel:
    if band not in inputs.names:
        raise InputError(
            f"detector rule: no band {band} among {', '.join(inputs.names)}; give its cell a setting with it"
        )
    i = inputs.names.index(band)
    return Channel(index=i, mean=inputs.mean[i], std=inputs.std[i])
