"""Probabilities for whole scenes."""

from __future__ import annotations

from pathlib import Path

from skred.core.errors import InputError
from skred.core.raster import Raster, atomic_folder, check_free, write_cog
from skred.core.scenes import SceneFolder
from skred.detectors.model import load_model


def predict_scenes(model_folder: Path, scenes: Path, out: Path) -> tuple[str, ...]:
    """Write the probability of every scene of a folder as ``<out>/<scene>.tif``: float32, 0..1, NaN for no data.

    A model of several members adds a second band, their standard deviation at each pixel.

    `out` appears only when it is whole. Returns the names of the scenes.

    Raises
    ------
    InputError
        `model_folder` is no model, `scenes` no folder of scenes, a band that the model needs is missing or in another
        unit (named), or `out` is there already.
    """
    check_free(out)  # before the work, not after it
    folder = SceneFolder.open(scenes)
    model, card = load_model(model_folder)
    there = {band.name: band for band in folder.index.bands}
    missing = [name for name in model.inputs.names if name not in there]
    if missing:
        raise InputError(
            f"{scenes}: no band {', '.join(missing)}, which {model_folder} (setting {card.setting}) needs; "
            f"it has {', '.join(sorted(there))}"
        )
    for band in model.inputs.bands:
        if there[band.name].unit != band.unit:
            raise InputError(
                f"{scenes}: band {band.name} is in {there[band.name].unit!r}, but {model_folder} learned it in "
                f"{band.unit!r}; bring it into that unit and import again"
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
