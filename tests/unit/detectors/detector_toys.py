"""Toys that a detector can learn in a second, and a way to run code in a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from skred.core.bands import Band
from skred.core.scenes import SceneFolder
from skred.detectors.inputs import fit_inputs
from skred.detectors.training import Training, Validation

SIZE = 128


def toy_labels(seed: int = 0) -> np.ndarray:
    """Squares of landslide, about one pixel in ten, on 128 x 128 pixels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((SIZE, SIZE), np.uint8)
    for row, col in rng.integers(0, SIZE - 8, (36, 2)):
        labels[row : row + 7, col : col + 7] = 1
    return labels


def training_on(folder, steps: list | None = None) -> Training:
    """What a detector gets, from a folder of patches beside its folder `scenes`, normalised on its training patches."""
    rows = folder.rows("train")
    names = [band.name for band in folder.about.bands]
    inputs = fit_inputs(folder.about.bands, [x[rows] for x in folder.x(names)])
    validation = Validation.open(folder, SceneFolder.open(folder.path.parent / "scenes"), inputs)
    return Training(
        folder, inputs, validation, lambda step, row: steps.append((step, row)) if steps is not None else None
    )


def optical(name: str) -> Band:
    return Band(name=name, meaning=name, unit="1", sensor="optical", clip=(-10, 10))


def in_fresh_process(script: str, *arguments: str | Path) -> str:
    """Standard output of `script` in a new interpreter that can import this folder's helpers."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()
