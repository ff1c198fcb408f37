"""`make repro` trains, predicts and evaluates cells side by side."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import pytest
import yaml
from pipeline_clone import CELLS, MAKE, Clone, Reproduced, process_group, stages_run, wait_until

pytestmark = pytest.mark.pipeline

STAGES = ("train", "predict", "evaluate")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks for processes in /proc")
ALONE = "repro --single-item"  # what a DVC that runs a cell was asked for


@pytest.fixture
def untrained(bare: Clone, small: Reproduced, tmp_path: Path) -> Clone:
    """A clone of the undisturbed run with its scenes and patches, and without any cell. Its DVC keeps a diary."""
    bare.dvc("remote", "add", "--local", "--default", "other", str(small.clone.root / ".dvc/cache"))
    bare.dvc("pull", "dvc.yaml")
    for folder in ("models", "data/probability", "data/scores"):
        shutil.rmtree(bare.root / folder)
    lock = yaml.safe_load(small.lock)
    lock["stages"] = {name: stage for name, stage in lock["stages"].items() if name.split("@")[0] not in STAGES}
    (bare.root / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    dvc = shutil.which("dvc", path=bare.environment["PATH"])
    script = tmp_path / "bin" / "dvc"
    script.parent.mkdir()
    script.write_text(
        f"#!/bin/sh\necho \"begins $*\" >>'{tmp_path}/diary'\n'{dvc}' \"$@\"\n"
        f"code=$?\necho \"ends $*\" >>'{tmp_path}/diary'\nexit $code\n"
    )
    script.chmod(0o755)
    bare.environment["PYTHONPATH"] = str(bare.root / "src")
    bare.environment["PATH"] = f"{script.parent}:{bare.environment['PATH']}"
    return bare


def diary(tmp_path: Path) -> list[tuple[str, str]]:
    """Which cells began and ended, in order."""
    return re.findall(rf"(?m)^(begins|ends) .*{ALONE} train@(\S+)", (tmp_path / "diary").read_text())


def test_make_repro_ends_as_one_stage_after_the_other_does(untrained: Clone, small: Reproduced, tmp_path: Path) -> None:
    ran = stages_run(untrained.make("repro", timeout_s=600))
    assert sorted(ran) == sorted(f"{stage}@{cell}" for cell in CELLS for stage in STAGES)
    assert yaml.safe_load(untrained.read("dvc.lock")) == yaml.safe_load(small.lock)
    assert "up to date" in untrained.dvc("status", "dvc.yaml")

    events = diary(tmp_path)
    assert sorted(cell for event, cell in events if event == "ends") == sorted(CELLS)
    at_once = [sum(1 if event == "begins" else -1 for event, _ in events[: i + 1]) for i in range(len(events))]
    assert max(at_once) == 2

    again = untrained.make("repro", timeout_s=600)
    assert stages_run(again) == []
    assert diary(tmp_path) == events


def test_a_wrong_parameter_is_told_before_anything_runs(untrained: Clone, tmp_path: Path) -> None:
    untrained.edit("params.yaml", {"cart": {"max_pixels": 1}})
    done = untrained.run(*MAKE, "cells", code=2)
    assert "skred: params.yaml: cart.max_pixels: got 1, wanted" in done.stderr
    assert not (tmp_path / "diary").exists(), "DVC was asked for something"


@needs_proc
def test_of_two_cells_one_is_killed_and_the_other_ends_well_and_no_third_begins(
    untrained: Clone, tmp_path: Path
) -> None:
    with untrained.in_group(tmp_path / "log", *MAKE, "cells") as made:

        def trees() -> list[int]:
            group = process_group(made.pid).items()
            return [pid for pid, command in group if "-m skred.stages.train" in command and "sar-cart" in command]

        wait_until(lambda: bool(trees()), 400, (tmp_path / "log").read_text, stop=lambda: made.poll() is not None)
        for pid in trees():  # as the kernel does where memory is short
            os.kill(pid, signal.SIGKILL)
        assert made.wait(300) == 2
    assert "ERROR: failed to reproduce 'train@sar-cart'" in (tmp_path / "log").read_text()
    assert {cell for _, cell in diary(tmp_path)} == {"sar-cart", "fusion-unet"}
    lock = yaml.safe_load(untrained.read("dvc.lock"))["stages"]
    assert {f"{stage}@fusion-unet" for stage in STAGES} <= set(lock)
    assert not (untrained.root / "models/sar-cart").exists()


@needs_proc
def test_ctrl_c_ends_both_cells_before_make_returns(untrained: Clone, tmp_path: Path) -> None:
    with untrained.in_group(tmp_path / "log", *MAKE, "cells") as made:

        def both() -> bool:
            commands = process_group(made.pid).values()
            tracked = any("skred.tracking.child" in command for command in commands)
            return tracked and sum(ALONE in command for command in commands) >= 4  # and the shells of their diary

        wait_until(both, 400, (tmp_path / "log").read_text, stop=lambda: made.poll() is not None)
        os.killpg(made.pid, signal.SIGINT)
        assert made.wait(150) != 0  # each training waits up to 45 s for MLflow to hear that it failed
        assert process_group(made.pid) == {}
