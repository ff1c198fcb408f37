"""One small run of the root pipeline that several tests look at, one in each process of pytest-xdist.

It goes on in the background until a test needs it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pipeline_clone import REPOSITORY, Clone, Reproduced, clone, small_clone


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed now: all clones come from here, whatever is committed while the tests run."""
    return clone(REPOSITORY, tmp_path_factory.mktemp("repository") / "clone").root


@pytest.fixture(scope="session", autouse=True)
def running(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Reproduced]]:
    """Starts `dvc repro` in a new, small clone at once. The value waits for it and gives what came of it."""
    place = tmp_path_factory.mktemp("a")
    made = small_clone(repository, place / "clone")
    with (place / "repro.txt").open("w") as log:
        started = made.start("dvc", "repro", stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

        reproduced: list[Reproduced] = []

        def wait() -> Reproduced:
            if not reproduced:
                code, output = started.wait(600), (place / "repro.txt").read_text()
                assert code == 0, output
                reproduced.append(Reproduced(made, output, made.read("dvc.lock")))
                made.commit("run")
            return reproduced[0]

        yield wait
        if started.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait(60)


@pytest.fixture(scope="session")
def small(running: Callable[[], Reproduced]) -> Reproduced:
    """The undisturbed small run, committed; tests only look at it."""
    return running()


@pytest.fixture
def bare(small: Reproduced, tmp_path: Path) -> Clone:
    """A new clone of the undisturbed run: its lock and metrics, none of its data."""
    return small.clone.copy(tmp_path / "bare")
