"""`make cells`: cells trained, predicted and evaluated side by side."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from pipeline_clone import CELLS, Clone, Reproduced

pytestmark = pytest.mark.pipeline

STAGES = ("train", "predict", "evaluate")


@pytest.fixture
def untrained(bare: Clone, small: Reproduced) -> Clone:
    """A clone of the undisturbed run with its scenes and patches, and without any cell."""
    bare.dvc("remote", "add", "--local", "--default", "other", str(small.clone.root / ".dvc/cache"))
    bare.dvc("pull", "dvc.yaml")
    for folder in ("models", "data/probability", "data/scores"):
        shutil.rmtree(bare.root / folder)
    lock = yaml.safe_load(small.lock)
    lock["stages"] = {name: stage for name, stage in lock["stages"].items() if name.split("@")[0] not in STAGES}
    (bare.root / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    return bare


def test_cells_side_by_side_end_as_one_after_the_other(untrained: Clone, small: Reproduced) -> None:
    said = untrained.make("cells", timeout_s=600)
    ran = re.findall(r"(?m)^(\S+) \| Running stage '(\w+)@\1'", said)
    assert sorted(ran) == sorted((cell, stage) for cell in CELLS for stage in STAGES)
    assert len({cell for cell, _ in ran[:4]}) > 1, "one cell waited for the other"
    assert yaml.safe_load(untrained.read("dvc.lock")) == yaml.safe_load(small.lock)
    assert "up to date" in untrained.dvc("status", "dvc.yaml")


def test_a_cell_that_fails_is_named_and_no_other_begins(untrained: Clone) -> None:
    untrained.edit("params.yaml", {"cart": {"max_pixels": 1}})
    done = untrained.run("make", "--old-file=.venv/.ready", "cells", "JOBS=1", code=2)
    first, *others = CELLS
    assert re.search(rf"(?m)^{first} \| skred: .*cart.max_pixels: got 1, wanted", done.stdout)
    assert f"{first} | ERROR: failed to reproduce 'train@{first}'" in done.stdout
    assert [cell for cell in others if f"{cell} |" in done.stdout] == []
    assert not list(Path(untrained.root / "models").glob("*"))
