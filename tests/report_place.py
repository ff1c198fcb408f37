"""A small experiment from which the page, the model cards and the figures can be made in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from maps_place import PARAMS, card, manifest, write_event, write_model
from skred.core.json_file import write_json
from skred.core.scenes import SceneFolder
from skred.maps.make import Maker, make_maps
from skred.patches.params import PatchParams
from skred.report.make import Before, Inputs, make_page
from skred.report.params import ReportParams

REPORT = ReportParams(levels=32, photo_quality=60, reflectance_max=0.18, max_mb=15)
OVERLAP = 0.2
PATCH = PatchParams(
    window_px=16, stride_px=8, block_px=192, buffer_px=8, val_share=0.25, test_share=0.25, draws=1, seed=1
)
SHAPE = (60, 80)
CELLS = {"fusion-cart": ("dndvi", "pre_vv", "post_vv"), "sar-unet": ("pre_vv", "post_vv")}
# rows and columns of the known landslides, and of what the models detect: a hit, a miss and a false alarm
KNOWN = ((slice(10, 20), slice(10, 16)), (slice(40, 50), slice(60, 66)))
DETECTED = ((slice(11, 21), slice(11, 16)), (slice(30, 36), slice(30, 42)))
BOX = {"precision": 0.5, "recall": 0.6, "f1": 0.55, "mcc": 0.54, "iou": 0.4, "auprc": 0.5, "pixels": 4800}


def scores(cell: str, **changed: Any) -> dict[str, Any]:
    setting, detector = cell.split("-")[:2]
    return {
        "cell": cell,
        "setting": setting,
        "detector": detector,
        "split": "blocks",
        "simulated": True,
        "trained_on_simulated": True,
        "training": {"pixels": 40000, "landslide_pixels": 120},
        "threshold": 0.5,
        **BOX,
        "unseen": {"simulated": True, **BOX, "f1": 0.41},
        "control": {"simulated": True, "false_alarms_per_100km2": 12.3, "false_alarms": 3, "area_km2": 24.4},
        **changed,
    }


def build(folder: Path, cell_scores: dict[str, dict[str, Any]] | None = None) -> tuple[Inputs, Before]:
    """Everything that `make_page` reads; `cell_scores` replaces the scores of cells."""
    found = np.full(SHAPE, 0.01)
    for place in DETECTED:
        found[place] = 0.9
    labels = np.zeros(SHAPE, np.uint8)
    for place in KNOWN:
        labels[place] = 1
    nothing = np.full(SHAPE, 0.01)
    clouded = np.zeros(SHAPE, bool)
    clouded[:, 72:] = True
    events = {
        "unseen": (found, labels, {"observable_optical": ~clouded}),
        "control": (nothing, np.zeros(SHAPE, np.uint8), {}),
    }
    for cell, names in CELLS.items():
        setting, detector = cell.split("-")
        model = card(names, cell=cell, setting=setting, detector=detector, trained_on="develop")
        write_model(folder / "models" / cell, model)
        (folder / "scores" / cell).mkdir(parents=True)
        write_json(folder / "scores" / cell / "scores.json", (cell_scores or {}).get(cell, scores(cell)))
        curve = "cell,setting,detector,simulated,threshold,recall,precision\n" + "".join(
            f"{cell},{setting},{detector},True,{1 - k / 10:.1f},{k / 10:.1f},{1 - k / 11:.3f}\n" for k in range(11)
        )
        (folder / "scores" / cell / "pr.csv").write_text(curve)
    for event, (probability, truth, quality) in events.items():
        scenes, predicted = write_event(
            folder / event, probability, labels=truth, quality=quality, event=event, role=event
        )
        for cell in CELLS:
            maker = Maker.open(folder / "models" / cell, PARAMS)
            make_maps(maker, scenes, predicted, folder / "maps" / cell / event, manifest=manifest(event))
    write_json(folder / "compare.json", {"fusion": {"cart": {"random": {"f1": 0.7}}}})
    inputs = Inputs(
        scenes=[folder / event / "scenes" for event in events],
        raw=[],
        maps=[folder / "maps" / cell for cell in CELLS],
        scores=[folder / "scores" / cell for cell in CELLS],
        models=[folder / "models" / cell for cell in CELLS],
        comparison=folder / "compare.json",
        differences=None,
    )
    before = {
        event: SceneFolder.open(folder / event / "scenes").bands(event, ["post_red", "post_green", "post_blue"]) * dim
        for event, dim in (("unseen", 0.5), ("control", 0.8))
    }
    return inputs, before


def page(folder: Path) -> Path:
    """The page of the small experiment as a file."""
    inputs, before = build(folder)
    file = folder / "index.html"
    file.write_text(make_page(inputs, before, REPORT, PATCH, overlap_share=OVERLAP), encoding="utf-8")
    return file
