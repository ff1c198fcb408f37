"""A trained model as a folder: `model.json`, `history.csv`, and the detector's own files.

It works by path alone: what it needs to know about bands, normalisation and threshold is in `model.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.core.grid import tiles
from skred.core.json_file import read_json, write_json
from skred.core.params import Section, parse
from skred.detectors.base import Detector, Sliding, detector_module
from skred.detectors.inputs import Inputs


class ModelCard(Section):
    """`model.json`."""

    cell: str
    setting: str
    detector: str
    seed: int | None = None  # of the detector's training, where it has one
    inputs: Inputs
    trained_on: str  # event or patch set
    simulated: bool
    threshold: float  # probability from which on a pixel counts as landslide; chosen on validation
    validation: dict[str, float | None]  # scores there at the threshold
    chosen: dict[str, float]  # best epoch or depth, chosen on validation
    sliding: Sliding


@dataclass(frozen=True)
class Model:
    """A detector with the inputs it was trained on."""

    inputs: Inputs
    detector: Detector
    sliding: Sliding

    def probability(self, values: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Probability of a landslide for a whole scene, shape (H, W), from its bands in the order of `inputs`.

        Where no band from a satellite is known the probability is 0.
        """
        out = sweep(self.detector, self.sliding, self.inputs.encode(values))
        return np.where(self.inputs.has_image(values), out, np.float32(0.0))

    @property
    def members(self) -> int:
        """How many networks the detector is a mean of; 1 for every other detector."""
        return int(getattr(self.detector, "members", 1))

    def probability_and_spread(self, values: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """The probability, and its standard deviation between the members of an ensemble, shape (2, H, W)."""
        detector: Any = self.detector

        def both(x: NDArray[np.float32]) -> NDArray[np.float32]:
            each = detector.predict_members(x)
            return np.stack([each.mean(axis=0), each.std(axis=0)])

        out = _sweep_layers(both, 2, self.sliding, self.inputs.encode(values))
        return np.where(self.inputs.has_image(values), out, np.float32(0.0))


def sweep(
    detector: Detector,
    sliding: Sliding,
    channels: NDArray[np.float32],
    where: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Probability of a landslide for a whole scene, shape (H, W), from its channels, shape (H, W, C).

    Every pixel is predicted once, by the window in whose inner part it lies; beyond the scene's edge the scene is
    mirrored. Windows whose inner part has no pixel of `where` are left out: their probability is 0.
    """
    out: NDArray[np.float32] = _sweep_layers(lambda x: detector.predict(x)[None], 1, sliding, channels, where)[0]
    return out


def _sweep_layers(
    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    layers: int,
    sliding: Sliding,
    channels: NDArray[np.float32],
    where: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """What `predict` gives for windows, (layers, N, H, W), over the whole scene, (layers, H, W)."""
    height, width = channels.shape[:2]
    window, margin = sliding.window_px, sliding.margin_px
    inner = window - 2 * margin
    padding = ((margin, margin + inner), (margin, margin + inner), (0, 0))
    padded = np.pad(channels, padding, mode="symmetric")
    out = np.zeros((layers, height, width), np.float32)
    places = [p for p in tiles(height, width, inner) if where is None or where[p.slices].any()]
    for first in range(0, len(places), sliding.batch):
        batch = places[first : first + sliding.batch]
        predicted = predict(np.stack([padded[p.row : p.row + window, p.col : p.col + window] for p in batch]))
        for i, place in enumerate(batch):
            part = predicted[:, i, margin : margin + place.height, margin : margin + place.width]
            out[:, *place.slices] = part
    return out


def save_model(folder: Path, detector: Detector, card: ModelCard, history: Sequence[dict[str, float]]) -> None:
    """Write a model into the existing, empty `folder`."""
    detector.save(folder)
    columns = list(history[0]) if history else []
    lines = [",".join(columns), *(",".join(f"{row[c]:.6g}" for c in columns) for row in history)]
    (folder / "history.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(folder / "model.json", card.model_dump(mode="json"))


def read_card(folder: Path) -> ModelCard:
    """`model.json` of a model folder. Raises InputError if there is none."""
    file = folder / "model.json"
    return parse(ModelCard, read_json(file, f"{folder} is no model; train it or `dvc pull` it"), file=file)


def load_model(folder: Path) -> tuple[Model, ModelCard]:
    """Load a model folder.

    Raises
    ------
    InputError
        `folder` is no model, or its detector's files are missing.
    """
    card = read_card(folder)
    return Model(card.inputs, detector_module(card.detector).load(folder), card.sliding), card
