"""The U-Net as a detector: train, keep the best epoch by validation, save and load."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from skred.core.errors import InputError, SkredError
from skred.core.json_file import read_json, write_json
from skred.detectors.base import Fitted, Sliding
from skred.detectors.training import Training
from skred.detectors.unet.batches import Batches
from skred.detectors.unet.network import build, masked_loss
from skred.detectors.unet.params import Params

_WEIGHTS, _SHAPE = "model.weights.h5", "network.json"


class UNet:
    """One trained network, or several that differ in their seed (a deep ensemble, Lakshminarayanan et al. 2017), with
    the numbers that rebuild them."""

    def __init__(self, networks: Sequence[keras.Model], shape: dict[str, Any]) -> None:
        self.networks = tuple(networks)
        self.shape = shape

    @property
    def members(self) -> int:
        """How many networks there are."""
        return len(self.networks)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `skred.detectors.base.Detector.predict`, the mean over members; H and W must be multiples of 2**depth."""
        return np.asarray(self.predict_members(x).mean(axis=0), np.float32)

    def predict_members(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probability of each member, shape (members, N, H, W)."""
        each = [np.asarray(network.predict_on_batch(x), np.float32)[..., 0] for network in self.networks]
        return np.stack(each)

    def save(self, folder: Path) -> None:
        write_json(folder / _SHAPE, self.shape if self.members == 1 else {**self.shape, "members": self.members})
        for number, network in enumerate(self.networks, start=1):
            network.save_weights(folder / _weights(number))


def _weights(member: int) -> str:
    return _WEIGHTS if member == 1 else _WEIGHTS.replace("model", f"model-{member}", 1)


def load(folder: Path) -> UNet:
    """Raises InputError if the folder has no network."""
    again = "train the model or `dvc pull` it"
    shape = read_json(folder / _SHAPE, again)
    members = int(shape.pop("members", 1))
    _fix_arithmetic()
    networks = []
    for number in range(1, members + 1):
        file = folder / _weights(number)
        if not file.is_file():
            raise InputError(f"{file}: missing; {again}")
        network = build(**shape)
        network.load_weights(file)
        networks.append(network)
    return UNet(networks, shape)


def fit(training: Training, params: Params) -> Fitted:
    """Train until validation AUPRC has not risen for `patience_epochs`, and keep the weights of its best epoch; as many
    times as there are `members`, with seeds that follow on `seed`. The history has the steps of all, one after the
    other.

    Raises
    ------
    InputError
        The windows are not a multiple of 2**depth a side.
    SkredError
        The loss is no number any more.
    """
    side = training.patches.y().shape[1]
    if side % 2**params.depth:
        raise InputError(f"unet.depth: got {params.depth}, wanted windows ({side} px) that can be halved so often")
    _fix_arithmetic()
    shape: dict[str, Any] = {
        "channels": training.inputs.channels,
        "depth": params.depth,
        "base_filters": params.base_filters,
        "dropout": params.dropout,
        "precision": params.precision,
    }
    networks: list[keras.Model] = []
    history: list[dict[str, float]] = []
    epochs: list[int] = []
    for member in range(params.members):
        watch = _Watch(training, params, first_step=len(history))
        networks.append(_train(training, params.model_copy(update={"seed": params.seed + member}), shape, watch))
        history += watch.history
        epochs.append(watch.best_epoch)
    chosen = {"epoch": float(epochs[0])} if params.members == 1 else {"mean_epoch": float(np.mean(epochs))}
    return Fitted(UNet(networks, shape), _sliding(params), history, chosen)


def _train(training: Training, params: Params, shape: dict[str, Any], watch: _Watch) -> keras.Model:
    keras.utils.set_random_seed(params.seed)
    network = build(**shape)
    batches = Batches(training, params)
    network.compile(
        optimizer=keras.optimizers.AdamW(_rate(params, len(batches)), weight_decay=params.weight_decay),
        loss=masked_loss(params.loss),
        jit_compile=False,  # XLA halves the speed on a CPU
    )
    network.fit(batches, epochs=params.epochs, verbose=0, shuffle=False, callbacks=[watch])
    trained = build(**shape)  # a fresh network: saved weights then hold no state of the optimiser
    trained.set_weights(watch.best_weights)
    return trained


def _sliding(params: Params) -> Sliding:
    return Sliding(window_px=params.predict_window_px, margin_px=params.predict_margin_px, batch=params.predict_batch)


def _fix_arithmetic() -> None:
    # TensorFlow reads both when its first operation runs. Sums depend on how many threads share them: with a fixed
    # number the weights do not depend on the number of cores. A user who sets them chooses speed over equal bytes.
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")


def _rate(params: Params, steps_per_epoch: int) -> Any:
    if params.schedule == "constant":
        return params.learning_rate
    return keras.optimizers.schedules.CosineDecay(params.learning_rate, params.epochs * steps_per_epoch)


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Scores validation after each epoch, remembers the best weights, stops when nothing more is gained."""

    def __init__(self, training: Training, params: Params, first_step: int = 0) -> None:
        super().__init__()
        self._first_step = first_step
        self._training, self._params, self._sliding = training, params, _sliding(params)
        self.history: list[dict[str, float]] = []
        self.best_epoch, self.best_auprc = 0, -1.0
        self.best_weights: list[NDArray[np.float32]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise SkredError(f"unet: training diverged in epoch {epoch + 1} (loss {loss}); lower unet.learning_rate")
        now = UNet([self.model], {})
        auprc = self._training.validation.counts(now, self._sliding).auprc() or 0.0
        step = self._first_step + epoch + 1
        row = {"step": float(step), "loss": loss, "val_auprc": auprc}
        self.history.append(row)
        self._training.report(step, row)
        if auprc > self.best_auprc:
            self.best_auprc, self.best_epoch = auprc, epoch + 1
            self.best_weights = self.model.get_weights()
        elif epoch + 1 - self.best_epoch >= self._params.patience_epochs:
            self.model.stop_training = True
