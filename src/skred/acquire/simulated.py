"""The offline image service as a child process, and what only the simulated world knows."""

from __future__ import annotations

import collections
import hashlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from skred.acquire.params import DownloadParams
from skred.acquire.service import Service
from skred.acquire.store import canonical
from skred.core.errors import SkredError
from skred.core.events import Event
from skred.core.params import read_yaml


def world_identity(event: Event, params_file: Path) -> str:
    """What a simulated service is called in the store's keys: everything that decides its pixels.

    That is the parameters of the world, the event without its name, title and role, and the code of the world and the
    hub. The windows are in it because the weather and the seasons of a world are drawn over them: with another window
    the same day may look another way, which is not so at the real service.
    """
    package = Path(__file__).parents[1]
    code = hashlib.sha256()
    for file in sorted([*package.glob("world/**/*"), *package.glob("hub/**/*"), package / "core" / "grid.py"]):
        if file.suffix in (".py", ".js"):
            code.update(f"{file.relative_to(package).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    kept = event.model_dump(mode="json", include={"date", "pre", "post", "area", "simulation"})
    world = {"parameters": read_yaml(params_file).get("world"), "event": kept, "code": code.hexdigest()}
    return "offline world " + hashlib.sha256(canonical(world).encode()).hexdigest()


@contextmanager
def offline_service(event_file: Path, event: Event, params_file: Path, params: DownloadParams) -> Iterator[Service]:
    """Start the offline image service for an event; it ends when the block ends, or when this process is killed.

    Raises
    ------
    SkredError
        It does not start within `params.hub_start_s`, or ends early; the line holds its last words.
    """
    command = [sys.executable, "-m", "skred.hub", "--event", str(event_file), "--params", str(params_file)]
    child = subprocess.Popen(
        [*command, "--port", "0"],
        stdin=subprocess.PIPE,  # the service ends when this closes, so also when we are killed
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    last_words: collections.deque[str] = collections.deque(maxlen=20)
    first_line: queue.SimpleQueue[str] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_drain, args=(child.stderr, last_words), daemon=True),
        threading.Thread(target=_read_first, args=(child.stdout, first_line), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        settings = json.loads(_settings_line(first_line, child, last_words, threads[0], params.hub_start_s))
        yield Service(
            base_url=settings["base_url"],
            token_url=settings["token_url"],
            client_id=settings["client_id"],
            client_secret=settings["client_secret"],
            simulated=True,
            identity=world_identity(event, params_file),
        )
    finally:
        _stop(child)


def _read_first(stream: IO[str], first_line: queue.SimpleQueue[str]) -> None:
    first_line.put(stream.readline())
    for _ in stream:  # keep reading, so that the child never waits for us
        pass


def _drain(stream: IO[str], lines: collections.deque[str]) -> None:
    for line in stream:
        if line.strip():
            lines.append(line.strip())


def _settings_line(
    first_line: queue.SimpleQueue[str],
    child: subprocess.Popen[str],
    words: collections.deque[str],
    words_reader: threading.Thread,
    start_s: float,
) -> str:
    try:
        line = first_line.get(timeout=start_s)
    except queue.Empty:
        raise SkredError(f"offline service: not ready after {start_s:g} s; raise download.hub_start_s") from None
    if line:
        return line
    code = child.wait()
    words_reader.join()
    last = words[-1].removeprefix("skred: ") if words else "it said nothing"
    raise SkredError(f"offline service: ended with exit code {code} before it was ready: {last}")


def _stop(child: subprocess.Popen[str]) -> None:
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
