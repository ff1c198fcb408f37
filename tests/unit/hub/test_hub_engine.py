"""Scripts run apart: from each other, from the machine, and from the process that asks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from skred.hub.engine import Engine
from skred.hub.errors import ServiceError
from skred.hub.processes import Sandbox, give_back, take

HEAD = "//VERSION=3\n"


def engine(script: str = "", seconds: float = 60.0, megabytes: int = 128) -> Engine:
    return Engine(HEAD + script, script_seconds=seconds, script_bytes=megabytes * 2**20)


def test_a_request_sees_nothing_of_the_one_before_in_the_same_process() -> None:
    with engine("secret = 42; Object.prototype.leak = 1; Array.prototype.map = null; index = null;") as first:
        assert first.json("[secret, ({}).leak]") == [42, 1]
        process = first._process
    with engine() as second:
        assert second._process is process
        assert second.json("[typeof secret, typeof ({}).leak, [1].map((x) => x + 1), index(3, 1)]") == [
            "undefined",
            "undefined",
            [2],
            0.5,
        ]


def test_a_script_finds_no_way_to_the_machine() -> None:
    with engine() as one:
        found = one.json("Object.getOwnPropertyNames(globalThis).filter((name) => globalThis[name] !== undefined)")
        assert one.json("[typeof require, typeof process, typeof fetch, typeof WebAssembly]") == ["undefined"] * 4
    small = {name for name in found if name[0].islower()}
    # of JavaScript itself, of V8 (its console prints nowhere), and of the service's documentation
    assert small == {
        *("globalThis", "eval", "parseInt", "parseFloat", "isNaN", "isFinite", "escape", "unescape", "undefined"),
        *("decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "console"),
        *("index", "inverse", "valueMap", "valueInterpolate", "colorBlend", "int2rgb", "rgb2int", "normalizeRGB"),
        *("combine", "blueRed", "redTemperature", "greenWhite", "oceanColor"),
    } - {"undefined"}
    assert not {"SharedArrayBuffer", "Atomics", "Worker", "Deno", "XMLHttpRequest"} & set(found)


def test_a_process_that_had_to_be_stopped_is_not_used_again() -> None:
    with engine(seconds=2) as late:  # time enough to start V8
        process = late._process
        with pytest.raises(ServiceError, match="longer than the 2 s"):
            late.json("(() => { for (;;); })()")
    assert process is not None
    assert not process.alive
    with engine() as next_one:
        assert next_one._process is not process
        assert next_one.json("1 + 1") == 2


def test_the_time_of_all_of_a_script_s_code_counts() -> None:
    wait = "(() => { const end = Date.now() + 750; while (Date.now() < end); return 1; })()"
    with engine(seconds=2) as one, pytest.raises(ServiceError, match="longer"):
        for _ in range(4):
            one.json(wait)


def test_memory_beside_the_pixels_is_limited_and_the_pixels_are_not() -> None:
    with engine(megabytes=32) as one:
        one.allocate(64 * 2**20, result_bytes=0)  # 256 MiB of pixels
        one.feed(np.ones(2**20, np.float32))
        assert one.json("1 + 1") == 2
        with pytest.raises(ServiceError, match="allocation"):
            one.json("(() => { const a = []; for (;;) a.push(new Float64Array(1e6).fill(1)); })()")


def test_a_broken_process_among_the_waiting_is_replaced() -> None:
    process = take()
    give_back(process)
    process._child.kill()
    process._child.wait()
    with engine() as one:
        assert one.json("1 + 1") == 2


def test_engines_run_at_the_same_time() -> None:
    with engine() as endless, engine() as other, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(endless.json, "(() => { for (;;); })()")
        assert [other.json(f"{number} + 1") for number in range(50)] == list(range(1, 51))
        assert not waiting.done()
        assert endless._process is not None
        endless._process._child.kill()
        with pytest.raises(ServiceError):
            waiting.result()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_process_is_left_when_the_parent_is_killed_in_the_middle_of_a_script() -> None:
    code = (
        "from skred.hub.engine import Engine\n"
        f"one = Engine({HEAD!r}, script_seconds=60, script_bytes=2**27)\n"
        "print(one._process._child.pid, flush=True)\n"
        "one.json('(() => { for (;;); })()')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while _runs(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_process_that_does_not_start_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(RuntimeError, match="cannot run evalscripts"):
        Sandbox()
