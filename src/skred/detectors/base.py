"""What a detector is: something that learns from patches and gives each pixel a probability.

A detector is a package ``skred.detectors.<name>``: its module ``params`` has ``Params``, the model of its section
``<name>`` of params.yaml, and its module ``detector`` has

``fit(training, params) -> Fitted``   learn from a `skred.detectors.training.Training`
``load(folder) -> Detector``          read what `Detector.save` wrote
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from skred.core.errors import InputError
from skred.core.params import Section

DETECTORS = ("unet", "cart", "cart_context", "forest", "boosting", "rule")


class Detector(Protocol):
    """A trained detector."""

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of a landslide, shape (N, H, W), from channels of shape (N, H, W, C)."""
        ...

    def save(self, folder: Path) -> None:
        """Write the detector's own files into `folder`; same detector, same bytes."""
        ...


class Sliding(Section):
    """How a scene is swept: windows of `window_px` of which the outer `margin_px` serve as context only."""

    window_px: int = Field(ge=32, le=2048)
    margin_px: int = Field(ge=0)
    batch: int = Field(ge=1)


@dataclass(frozen=True)
class Fitted:
    """A trained detector and how it came about: one row of numbers per step, and what was chosen on validation."""

    detector: Detector
    sliding: Sliding
    history: list[dict[str, float]]
    chosen: dict[str, float]


def params_model(name: str) -> type[Section]:
    """The model of a detector's section of params.yaml, without its heavy libraries. Raises as `detector_module`."""
    _check_name(name)
    model: type[Section] = importlib.import_module(f"skred.detectors.{name}.params").Params
    return model


def detector_module(name: str) -> Any:
    """The module ``skred.detectors.<name>.detector``; heavy libraries are imported only with it.

    Raises
    ------
    InputError
        There is no such detector.
    """
    _check_name(name)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up notes would bury a one-line error
    return importlib.import_module(f"skred.detectors.{name}.detector")


def _check_name(name: str) -> None:
    if name not in DETECTORS:
        raise InputError(f"detector {name!r}: unknown; wanted one of {', '.join(DETECTORS)}")
