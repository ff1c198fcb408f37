"""``kill -9`` at any moment, a full disk: the next download goes on, and ends with the same bytes and nothing else."""

import contextlib
import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from acquire_place import PARAMS, Place, digest, images, many, served
from acquire_stage import files, finish, start, write_inputs

from skred.acquire.store import Store

HERE = Path(__file__).parent
LISTED = many()[:6] + many()[-6:]
TILED = PARAMS.model_copy(update={"tile_px": 32})  # four requests an image
KILLS = 20
FOLDERS = 5


class Child:
    """The process that forks downloads, see acquire_child.py."""

    def __init__(self):
        path = os.pathsep.join([str(HERE), str(HERE.parents[2] / "src")])
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "acquire_child.py")],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, service, folder):
        """The process id of a download."""
        job = {"service": dataclasses.asdict(service), "folder": str(folder), "params": TILED.model_dump()}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self):
        """Its exit code."""
        return int(self.process.stdout.readline())


@pytest.fixture
def child():
    made = Child()
    yield made
    made.process.stdin.close()
    made.process.wait(30)


def whole(folder):
    """The keys that a store has whole."""
    store = Store(folder / "store")
    keys = [file.stem for file in (folder / "store").glob("*.json")] if (folder / "store").is_dir() else []
    return {key for key in keys if store.get(key, simulated=True) is not None}


def paid(folder):
    """How many answers a store has: tiles of images that are not whole, and four for each whole one."""
    had = whole(folder)
    tiles = [file for file in (folder / "store").glob("*.tile") if file.name[:64] not in had]
    return 4 * len(had) + len(tiles)


def kill_somewhere(child, service, folder, log, requests, moments):
    """Start a download and kill it at some moment after so many requests; whether it was still alive."""
    wanted = len(images(log)) + requests
    pid = child.start(service, folder)
    until = time.monotonic() + 120
    while len(images(log)) < wanted:
        assert time.monotonic() < until, f"{len(images(log))} requests, wanted {wanted}"
        time.sleep(0.001)
    time.sleep(moments.uniform(0, 0.02))  # while an answer is read or written, or the next one is asked for
    with contextlib.suppress(ProcessLookupError):  # it was faster
        os.kill(pid, signal.SIGKILL)
    return child.wait() == -signal.SIGKILL


def test_killed_at_20_random_moments_it_resumes_with_the_same_bytes_and_asks_for_nothing_that_it_has(tmp_path, child):
    moments = random.Random(20190730)
    place, log = Place(listed=LISTED), []
    calm = tmp_path / "calm"
    with served(place, log=log) as service:
        child.start(service, calm)
        assert child.wait() == 0
        all_images = len(images(log))
    kept = []
    for number in range(FOLDERS):
        folder = tmp_path / f"killed-{number}"
        asked = []
        with served(place, log=asked) as service:
            kills = 0
            while kills < KILLS // FOLDERS:
                had = whole(folder)
                requests = moments.randint(0, (all_images - paid(folder)) // 2)
                kills += kill_somewhere(child, service, folder, asked, requests, moments)
                assert had <= whole(folder)
                kept.append(paid(folder))
        log = []
        with served(place, log=log) as service:  # a new one: the other still logs what killed downloads asked for
            child.start(service, folder)
            assert child.wait() == 0
        assert len(images(log)) == all_images - kept[-1]
        assert digest(folder / "raw") == digest(calm / "raw")
        assert files(folder) == files(calm)
    assert len({count for count in kept if 0 < count < all_images}) >= 3  # in the middle, at different places
    assert any(count % 4 for count in kept)  # and between the tiles of an image
    assert {p.name for p in calm.iterdir()} == {"raw", "store"}


@pytest.mark.parametrize("largest_bytes", [0, 1000, 40_000])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tmp_path, largest_bytes):
    """A limit on the size of files stands for the disk: writing beyond it fails in the same call, with another number.

    1,000 bytes are too few for images; 40,000 are enough for these, and too few for the GeoPackage.
    """
    write_inputs(tmp_path)
    # no bytecode: Python 3.11 would leave cut .pyc files beside the sources, and every later process would fail on them
    limit = (
        "import resource, sys; sys.dont_write_bytecode = True; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({largest_bytes}, {largest_bytes}))"
    )
    log = []
    with served(Place(), log=log) as service:
        code, out, err = finish(start(tmp_path, service, before=limit))
        assert (code, out) == (1, "")
        *_, told = err.splitlines()
        assert "Traceback" not in err
        assert told.startswith("skred: ")
        assert "cannot be written" in told
        assert "what has been fetched is kept" in told
        assert not (tmp_path / "raw").exists()
        assert not list(tmp_path.rglob("*.part"))
        kept = whole(tmp_path)
        assert {p.stem for p in (tmp_path / "store").iterdir()} == kept
        assert len(kept) == (0 if largest_bytes < 40_000 else 10)
        before = len(images(log))
        code, _, err = finish(start(tmp_path, service))
        assert code == 0, err
        assert len(images(log)) - before == 10 - len(kept)
    assert not [name for name in files(tmp_path) if name.endswith(".part")]
