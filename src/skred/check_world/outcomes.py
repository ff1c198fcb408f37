"""What detectors make of a world: trained on it with the pipeline's own code, in a temporary folder.

Nothing here is a reason to change the world: these numbers are reported as they fall.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skred.check_world.composites import Composited
from skred.check_world.marginals import Line
from skred.core.bands import EVENT_BANDS
from skred.core.params import Section
from skred.core.scenes import QUALITY_LAYERS, SceneEntry, SceneFolder, SceneIndex, write_index, write_scene
from skred.detectors.predict import predict_scenes
from skred.detectors.train import Recipe, train_cell
from skred.patches.make import make_patches
from skred.patches.params import PatchParams, SplitKind
from skred.patches.split import Split
from skred.patches.store import PatchFolder
from skred.scores.evaluate import pixels_of, tally
from skred.world.world import World

SPLITS: tuple[SplitKind, ...] = ("blocks", "random")
BOTH_SPLITS = "fusion"  # the setting that is also trained on the random split
COMPARED = ("unet", "cart")  # the detectors of the paper; params.yaml holds more
SETTINGS = ("full", "fusion", "sar", "optical")  # the settings of the paper; params.yaml holds more
WANTED = {("fusion", "F1"): "0.4-0.8", ("sar", "MCC"): "0.2-0.6"}  # priors, not marks, on the blocked split


@dataclass(frozen=True)
class Recipes:
    """`settings`: bands by name of the setting, `BOTH_SPLITS` among them; `detectors`: parameters by their name."""

    patch: PatchParams
    settings: Mapping[str, tuple[str, ...]]
    detectors: Mapping[str, Section]


def outcome_lines(
    recipes: Recipes, world: World, result: Composited, report: Callable[[str], None] = lambda line: None
) -> list[Line]:
    """(b) F1 and MCC of each setting, (c) U-Net less CART, (e) random less blocked split.

    `report` is told of each cell as it is scored.
    """
    scores: dict[tuple[str, str, str], tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for cell, (f1, mcc) in _scores(recipes, world, result, Path(name)):
            scores[cell] = f1, mcc
            report(f"{', '.join(cell)}: F1 {f1:.3f}, MCC {mcc:.3f}")
    lines = []
    for (setting, detector, split), (f1, mcc) in scores.items():
        label = f"(b) {setting}, {detector}" if split == "blocks" else f"(e) {setting}, {detector}, random split"
        for metric, value in (("F1", f1), ("MCC", mcc)):
            wanted = WANTED.get((setting, metric), "-") if split == "blocks" else "-"
            lines.append(Line(f"{label}: {metric}", "1", wanted, value))
    for setting in recipes.settings:
        pair = [scores.get((setting, detector, "blocks")) for detector in ("unet", "cart")]
        if pair[0] is not None and pair[1] is not None:
            lines.append(Line(f"(c) {setting}: MCC of U-Net less that of CART", "1", "-", pair[0][1] - pair[1][1]))
    for detector in recipes.detectors:
        gap = scores[BOTH_SPLITS, detector, "random"][1] - scores[BOTH_SPLITS, detector, "blocks"][1]
        lines.append(Line(f"(e) {BOTH_SPLITS}, {detector}: MCC of random less that of blocked split", "1", "-", gap))
    return lines


def _scores(
    recipes: Recipes, world: World, result: Composited, folder: Path
) -> Iterator[tuple[tuple[str, str, str], tuple[float, float]]]:
    scenes = folder / "scenes"
    scenes.mkdir()
    _write(scenes, world, result)
    opened = SceneFolder.open(scenes)
    for split in SPLITS:
        patches = folder / split
        make_patches(scenes, split, recipes.patch, patches)
        settings = recipes.settings if split == "blocks" else {BOTH_SPLITS: recipes.settings[BOTH_SPLITS]}
        for setting, bands in settings.items():
            for detector, params in recipes.detectors.items():
                cell = f"{setting}-{detector}-{split}"
                recipe = Recipe(cell, setting, tuple(bands), detector, params)
                card = train_cell(recipe, patches, scenes, folder / "models" / cell, lambda step, row: None)
                predict_scenes(folder / "models" / cell, scenes, folder / "probability" / cell)
                test = pixels_of(PatchFolder.open(patches), Split.TEST)
                counts = tally(opened, folder / "probability" / cell, card.threshold, test).all.at(card.threshold)
                yield (setting, detector, split), (counts.f1 or 0.0, counts.mcc or 0.0)


def _write(folder: Path, world: World, result: Composited) -> None:
    name = world.event.name
    quality = np.stack([np.minimum(result.quality[layer], 255).astype(np.uint8) for layer in QUALITY_LAYERS])
    write_scene(
        folder,
        name,
        grid=world.grid,
        bands=EVENT_BANDS,
        values=result.values(),
        quality=quality,
        labels=result.labels,
        tags={"event": name, "simulated": "yes"},
    )
    entry = SceneEntry(name=name)
    write_index(
        folder,
        SceneIndex(event=name, role=world.event.role, simulated=True, bands=EVENT_BANDS, scenes=(entry,)),
    )
