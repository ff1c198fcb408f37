"""Train one cell: fit the inputs and the detector, choose the threshold on validation, write the model folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skred.core.bands import Band, select
from skred.core.errors import InputError
from skred.core.params import Section, parse
from skred.core.raster import atomic_folder
from skred.core.scenes import SceneFolder
from skred.detectors.base import detector_module
from skred.detectors.inputs import Inputs, fit_inputs
from skred.detectors.model import ModelCard, save_model
from skred.detectors.training import Report, Training, Validation
from skred.patches.store import PatchFolder
from skred.scores.bins import best_threshold


@dataclass(frozen=True)
class Recipe:
    """What to train: the name of the cell, its setting's name and bands, its detector's name and section."""

    cell: str
    setting: str
    bands: tuple[str, ...]
    detector: str
    params: Section


def with_seed(params: Section, seed: int) -> Section:
    """The section of a detector with another training seed.

    Raises
    ------
    InputError
        The detector has no seed, or the seed is out of its range.
    """
    if "seed" not in type(params).model_fields:
        raise InputError(f"--seed {seed}: this detector draws nothing at random; leave it out")
    return parse(type(params), params.model_dump() | {"seed": seed}, file=Path("--seed"))


def train_cell(recipe: Recipe, patches: Path, scenes: Path, out: Path, report: Report) -> ModelCard:
    """Train a cell on a folder of patches cut from the folder of scenes `scenes`; write the model folder `out`.

    The threshold is the one with the largest MCC on the validation pixels of the whole scenes, swept exactly as
    `predict` does. `out` appears only when it is whole.

    Raises
    ------
    InputError
        A band is missing, the folders do not belong together, or there is nothing to learn from.
    """
    folder, scene_folder = PatchFolder.open(patches), SceneFolder.open(scenes)
    if folder.about.event != scene_folder.index.event:
        raise InputError(
            f"{patches}: cut from {folder.about.event!r}, not from {scene_folder.index.event!r} ({scenes})"
        )
    bands = select(folder.about.bands, recipe.bands, where=f"settings.{recipe.setting}")
    inputs = _inputs(folder, bands)
    validation = Validation.open(folder, scene_folder, inputs)
    fitted = detector_module(recipe.detector).fit(Training(folder, inputs, validation, report), recipe.params)
    counts = validation.counts(fitted.detector, fitted.sliding)
    threshold = best_threshold(counts)
    card = ModelCard(
        cell=recipe.cell,
        setting=recipe.setting,
        detector=recipe.detector,
        seed=getattr(recipe.params, "seed", None),
        inputs=inputs,
        trained_on=folder.about.event,
        simulated=folder.about.simulated,
        threshold=threshold,
        validation={**counts.at(threshold).scores(), "auprc": counts.auprc()},
        chosen=fitted.chosen,
        sliding=fitted.sliding,
    )
    with atomic_folder(out) as building:
        save_model(building, fitted.detector, card, fitted.history)
    return card


def _inputs(folder: PatchFolder, bands: Sequence[Band]) -> Inputs:
    rows = folder.rows("train")
    distinct: NDArray[np.bool_] = folder.distinct_pixels(rows)
    return fit_inputs(bands, [x[rows][distinct] for x in folder.x([band.name for band in bands])])
