"""``kill -9`` in the middle, and then `dvc repro` again: another clone, elsewhere, with an empty cache."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from pipeline_clone import Clone, Reproduced, process_group, small_clone, stages_run, wait_until

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks for orphans in /proc"),
]
_OUTLIVE = ("skred.hub", "skred.tracking.child")  # children of stages, which are to end by themselves


def test_killed_twice_it_completes_with_the_lock_of_an_undisturbed_run(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    made = small_clone(repository, tmp_path_factory.mktemp("b") / "a-clone-with-a-longer-path" / "than-the-other")
    made.environment["PYTHONPATH"] = str(made.root / "src")  # as if installed from here
    log = made.root.parent / "repro.txt"

    store = made.root / "data/.store"
    fetched = _kill_once(made, log, lambda: len(list(store.glob("*.tif"))) >= 5, outlive="skred.hub")
    assert stages_run(fetched) == ["download@develop"]
    assert not (made.root / "data/raw/develop").exists()

    begun = re.compile(r"Running stage 'train@fusion-unet'.*^step 1:", re.DOTALL | re.MULTILINE)
    trained = _kill_once(made, log, lambda: begun.search(log.read_text()) is not None, outlive="skred.tracking.child")
    kept = re.search(r"develop: .* fetched \d+ images, (\d+) were kept from before", trained)
    assert kept is not None and int(kept[1]) >= 5
    assert not (made.root / "models/fusion-unet").exists()
    assert b"train@fusion-unet" not in made.read("dvc.lock")

    finished = stages_run(made.repro())
    assert "train@fusion-unet" in finished
    assert not set(finished) & set(stages_run(trained)[:-1])
    undisturbed: Reproduced = request.getfixturevalue("small")  # by now it has come to its end, too
    assert made.read("dvc.lock") == undisturbed.lock
    assert made.read("metrics/compare.json") == undisturbed.clone.read("metrics/compare.json")
    assert [str(file) for file in made.root.rglob("*.part") if ".dvc" not in file.parts] == []


def _kill_once(made: Clone, log: Path, ready: Callable[[], bool], *, outlive: str) -> str:
    """Kill DVC and its stage, not the stage's child `outlive`, as soon as `ready`; what `dvc repro` said until then."""
    with made.in_group(log, "dvc", "repro") as started:
        wait_until(ready, 900, lambda: (started.poll(), log.read_text()), stop=lambda: started.poll() is not None)
        os.killpg(started.pid, signal.SIGSTOP)  # so that nothing begins or ends while we look
        group = process_group(started.pid)
        assert any(outlive in command for command in group.values()), group
        for pid, command in group.items():
            if not any(name in command for name in _OUTLIVE):
                os.kill(pid, signal.SIGKILL)
        os.killpg(started.pid, signal.SIGCONT)
        started.wait(60)
        wait_until(lambda: not process_group(started.pid), 90, lambda: f"still there: {process_group(started.pid)}")
    return log.read_text()
