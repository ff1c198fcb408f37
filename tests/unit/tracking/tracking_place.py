"""A small checkout with DVC, whose `train` really trains a tree and whose `evaluate` writes scores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

from skred.core.bands import EVENT_BANDS, select
from skred.core.grid import Grid
from skred.core.scenes import QUALITY_LAYERS, SceneEntry, SceneIndex, write_index, write_scene
from skred.patches.make import make_patches
from skred.patches.params import PatchParams

BANDS = ("dndvi", "pre_vv", "post_vv")
PARAMS = {
    "cells": {
        "fusion-cart": {"setting": "fusion", "detector": "cart", "patches": "p"},
        "sar-cart": {"setting": "sar", "detector": "cart", "patches": "p"},
    },
    "settings": {"fusion": ["dndvi", "post_vv"], "sar": ["post_vv"]},
    "cart": {"max_pixels": 2000, "max_depth": 4, "min_leaf_pixels": 5, "seed": 1},
}
DVC_YAML = """
stages:
  train:
    foreach: ${cells}
    do:
      cmd: >-
        python -m skred.stages.train --params params.yaml --cell ${key} --setting ${item.setting}
        --detector ${item.detector} --patches data/patches/${item.patches} --scenes data/composites/e
        --out models/${key}
      deps:
        - data/patches/${item.patches}
        - data/composites/e
        - code.py
      params:
        - settings.${item.setting}
        - ${item.detector}
      outs:
        - models/${key}
  evaluate:
    foreach: ${cells}
    do:
      cmd: python score.py models/${key} data/scores/${key}
      deps:
        - models/${key}
        - score.py
      outs:
        - data/scores/${key}
"""
SCORE = """
import json, pathlib, shutil, sys
card = json.loads(pathlib.Path(sys.argv[1], "model.json").read_text())
out = pathlib.Path(sys.argv[2])
out.mkdir(parents=True)
(out / "scores.json").write_text(json.dumps({
    "cell": card["cell"], "split": "blocks", "simulated": True, "threshold": card["threshold"],
    "validation": card["validation"], "chosen": card["chosen"], "f1": F1, "mcc": None, "observable": {"f1": 0.5},
    "unseen": {"mcc": 0.25, "truth": {"f1": 0.125}}, "control": {"false_alarms_per_100km2": 3.0},
}))
(out / "pr.csv").write_text("recall,precision\\n")
(out / "pr.png").write_bytes(b"a figure")
"""


class Place:
    """A checkout, and the commands run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        hidden = ("MLFLOW_", "DVC_", "SKRED_", "GIT_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        self.environment |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONHASHSEED": "0",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def run(self, *command: str, folder: str = ".", **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.root / folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
        return done

    def dvc(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "dvc", *arguments, **environment)

    def commit(self, message: str) -> str:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", message)
        return self.run("git", "rev-parse", "HEAD").stdout.strip()

    def lock(self, folder: str = ".") -> dict[str, dict[str, object]]:
        stages: dict[str, dict[str, object]] = yaml.safe_load((self.root / folder / "dvc.lock").read_text())["stages"]
        return stages

    def score_with(self, f1: float) -> None:
        (self.root / "score.py").write_text(SCORE.replace("F1", str(f1)))


def make_place(root: Path) -> Place:
    """A new checkout in the empty folder `root`, committed, nothing run."""
    place = Place(root)
    make_scene(root / "data/composites/e")
    patch = PatchParams(
        window_px=16, stride_px=16, block_px=16, buffer_px=8, val_share=0.25, test_share=0.25, draws=10, seed=1
    )
    make_patches(root / "data/composites/e", "random", patch, root / "data/patches/p")
    (root / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    (root / "dvc.yaml").write_text(DVC_YAML)
    (root / "code.py").write_text("# what trains\n")
    place.score_with(0.75)
    (root / ".gitignore").write_text("/data/\n/models/\n/mlruns/\n")
    place.run("git", "init", "-q")
    place.dvc("init", "-q")
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    place.commit("begin")
    return place


def make_scene(folder: Path) -> None:
    """One scene of 64 x 64 pixels in which a landslide is where NDVI fell."""
    rng = np.random.default_rng(1)
    bands = select(EVENT_BANDS, BANDS, where="test")
    labels = np.zeros((64, 64), np.uint8)
    labels[:, 4::8] = 1
    values = rng.normal(0, 0.5, (3, 64, 64)).astype(np.float32) - np.float32([[[0]], [[10]], [[10]]])
    values[0] -= 0.4 * labels
    values[2] -= 1.0 * labels
    grid = Grid("EPSG:32632", 300000.0, 6800000.0, 10.0, 64, 64)
    quality = np.ones((len(QUALITY_LAYERS), 64, 64), np.uint8)
    folder.mkdir(parents=True)
    write_scene(folder, "s", grid=grid, bands=bands, values=values, quality=quality, labels=labels, tags={})
    scenes = (SceneEntry(name="s"),)
    write_index(folder, SceneIndex(event="e", role="develop", simulated=True, bands=bands, scenes=scenes))


def card_of(place: Place, cell: str) -> dict[str, object]:
    card: dict[str, object] = json.loads((place.root / "models" / cell / "model.json").read_text())
    return card
