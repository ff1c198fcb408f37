"""Probabilities for whole scenes."""

from __future__ import annotations

from pathlib import Path

from skred.core.errors import InputError
from skred.core.raster import Raster, atomic_folder, write_cog
from skred.core.scenes import SceneFolder
from skred.detectors.model import load_model


def predict_scenes(model_folder: Path, scenes: Path, out: Path) -> tuple[str, ...]:
    """Write the probability of every scene of a folder as ``<out>/<scene>.tif``: float32, 0..1, NaN for no data.

    A model of several members adds a second band, their standard deviation at each pixel.

    `out` appears only when it is whole. Returns the names of the scenes.

    Raises
    ------
    InputError
        `model_folder` is no model, `scenes` no folder of scenes, or a band that the model needs is missing (named).
    """
    folder = SceneFolder.open(scenes)
    model, card = load_model(model_folder)
    there = {band.name for band in folder.index.bands}
    missing = [name for name in model.inputs.names if name not in there]
    if missing:
        raise InputError(
            f"{scenes}: no band {', '.join(missing)}, which {model_folder} (setting {card.setting}) needs; "
            f"it has {', '.join(sorted(there))}"
        )
    with atomic_folder(out) as building:
        tags = {
            "cell": card.cell,
            "threshold": f"{card.threshold:.3f}",
            "simulated": "yes" if folder.index.simulated else "no",
            "trained_on": card.trained_on,
            "trained_on_simulated": "yes" if card.simulated else "no",
        }
        for scene in folder.names:
            values = list(folder.bands(scene, model.inputs.names))
            single = model.members == 1
            layers = model.probability(values)[None] if single else model.probability_and_spread(values)
            names = ("probability", "spread")[: len(layers)]
            raster = Raster(layers, folder.grid(scene), names, ("1",) * len(layers), float("nan"), tags)
            write_cog(building / f"{scene}.tif", raster)
    return folder.names
