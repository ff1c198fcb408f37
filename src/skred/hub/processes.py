"""The child processes in which evalscripts run: started when needed, kept for the next request."""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

_START_SECONDS = 60.0  # Python and V8 take 0.1 s; far less than a person waits for a machine that is busy
_PIPE_BYTES = 2**20  # the most that Linux gives without privileges; pixels pass in fewer, larger parts


class EndedError(Exception):
    """The process has ended: V8 had no memory left."""


class LateError(Exception):
    """There is no answer yet."""


class Sandbox:
    """One process that runs sandbox.py (which describes the messages). For one thread at a time.

    Raises
    ------
    RuntimeError
        It does not start.
    """

    def __init__(self) -> None:
        end, self._lifeline = os.pipe()
        try:
            self._child = subprocess.Popen(
                # -I: neither the environment nor the folder of the file may lead its imports elsewhere
                [sys.executable, "-I", str(Path(__file__).with_name("sandbox.py")), str(end)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(end,),
                env={},  # no account, no settings
            )
        finally:
            os.close(end)
        self._requests, self._answers = cast(BinaryIO, self._child.stdin), cast(BinaryIO, self._child.stdout)
        for stream in (self._requests, self._answers):
            _widen(stream.fileno())
        try:
            self.answer(_START_SECONDS)
        except (EndedError, LateError) as error:
            self.kill()
            raise RuntimeError(
                f"{sys.executable} cannot run evalscripts: its own message is on standard error"
            ) from error

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def send(self, message: dict[str, Any], raw: memoryview | None = None) -> None:
        """Raises EndedError."""
        try:
            self._requests.write(json.dumps(message).encode() + b"\n")
            if raw is not None:
                self._requests.write(raw)
            self._requests.flush()
        except BrokenPipeError as error:
            raise EndedError from error

    def answer(self, seconds: float) -> dict[str, Any]:
        """The next answer. Raises LateError, EndedError."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise LateError
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            raise EndedError
        answer: dict[str, Any] = json.loads(line)
        return answer

    def read_into(self, view: memoryview) -> None:
        """The raw bytes after an answer. Raises EndedError."""
        while view.nbytes:
            count = self._answers.readinto(view)  # type: ignore[attr-defined]
            if not count:
                raise EndedError
            view = view[count:]

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._child.kill()
        self._child.wait()
        os.close(self._lifeline)
        self._answers.close()
        with suppress(BrokenPipeError):  # what was still to be sent
            self._requests.close()


def _widen(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415  # of this system

        with suppress(PermissionError):  # the user's pipes hold their share already; the usual size is only slower
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


class _Idle:
    """Processes that wait for a request, as many as there are cores."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Sandbox] = []
        atexit.register(self.end)

    def take(self) -> Sandbox:
        with self._lock:
            while self._waiting:
                process = self._waiting.pop()
                if process.alive:
                    return process
                process.kill()
        return Sandbox()

    def give_back(self, process: Sandbox) -> None:
        try:
            process.send({"operation": "close"})
        except EndedError:
            process.kill()
            return
        with self._lock:
            if len(self._waiting) < (os.cpu_count() or 1):
                self._waiting.append(process)
                return
        process.kill()

    def end(self) -> None:
        with self._lock:
            while self._waiting:
                self._waiting.pop().kill()


@cache
def _idle() -> _Idle:
    return _Idle()


def take() -> Sandbox:
    """A process that waits for a script, from before or new."""
    return _idle().take()


def give_back(process: Sandbox) -> None:
    """Keep a process, which has no message to answer, for the next script."""
    _idle().give_back(process)
