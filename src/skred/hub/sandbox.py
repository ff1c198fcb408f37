"""The process in which evalscripts run: a script can end V8's process, and then only this one ends.

A program, not a module: `skred.hub.engine` starts this file by its path, and it imports nothing of skred. It answers
messages on standard input, one at a time, until that is closed. A message is a line of JSON:

``open``      make a new V8 context and evaluate ``scripts`` in it, pairs of a name and a text
``eval``      evaluate ``code``; the answer has its ``value``: text, a number or a truth
``allocate``  ``code`` makes an array of ``bytes`` bytes, which the next ``feed`` messages fill from its start
``feed``      ``bytes`` raw bytes follow the line; there is no answer
``result``    ``code`` gives an array; its raw bytes follow the answer, which has their number as ``bytes``
``close``     free the context; there is no answer

An answer with ``error`` says what failed: ``script`` (it threw; ``message`` has what V8 says), ``memory`` (it took
more than it may) or ``tampered`` (it replaced what the runtime needs). Time is not limited here: the parent, which
waits, ends this process.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from py_mini_racer import JSEvalException, JSOOMException, MiniRacer

_HEADROOM_BYTES = 128 * 2**20  # V8 maps stacks and code when it first needs them, also for a harmless script


class TamperedError(Exception):
    """The script replaced what the runtime needs."""


class Context:
    """One V8 context, with a limit on what the process may hold while it is open."""

    def __init__(self, limit_bytes: int) -> None:
        unlimited = resource.RLIM_INFINITY  # the limit is still that of the context before
        resource.setrlimit(resource.RLIMIT_DATA, (unlimited, unlimited))
        self._v8 = MiniRacer()
        self._v8.set_hard_memory_limit(limit_bytes)
        self._held = _data_bytes()
        self._limit_bytes = limit_bytes
        self._free = memoryview(b"")
        self._limit(0)

    def close(self) -> None:
        self._free = memoryview(b"")
        self._v8.close()

    def evaluate(self, code: str) -> Any:
        return self._v8.eval(code)

    def value(self, code: str) -> str | float | bool:
        value = self.evaluate(code)
        if not isinstance(value, str | float | int):
            raise TamperedError
        return value

    def array(self, code: str) -> memoryview:
        value = self.evaluate(code)
        if not isinstance(value, memoryview):
            raise TamperedError
        return value.cast("B")

    def allocate(self, code: str, size: int, beside: int) -> None:
        """The array that `feed` fills; `beside` bytes more are allowed to the script's results."""
        self._limit(size + beside)
        self._free = self.array(code)
        if self._free.nbytes != size:
            raise TamperedError

    def feed(self, requests: BinaryIO, size: int) -> None:
        view, self._free = self._free[:size], self._free[size:]
        while view.nbytes:
            count = requests.readinto(view)  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            view = view[count:]

    def _limit(self, arrays: int) -> None:
        """V8's limit does not see typed arrays, which lie outside of its heap; one on the process's data does."""
        if self._held is not None:
            total = self._held + self._limit_bytes + _HEADROOM_BYTES + arrays
            resource.setrlimit(resource.RLIMIT_DATA, (total, resource.RLIM_INFINITY))


def _data_bytes() -> int | None:
    """What the process has that counts against RLIMIT_DATA; None where the system does not say, and nothing limits."""
    status = Path("/proc/self/status")  # of Linux
    if not status.exists():
        return None
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def answer(context: Context, message: dict[str, Any]) -> tuple[dict[str, Any], memoryview]:
    """The answer to one message, and the raw bytes after it."""
    raw = memoryview(b"")
    try:
        match message["operation"]:
            case "open":
                for name, text in message["scripts"]:
                    context.evaluate(f"{text}\n//# sourceURL={name}")
            case "eval":
                return {"value": context.value(message["code"])}, raw
            case "allocate":
                context.allocate(message["code"], message["bytes"], message["beside"])
            case "result":
                raw = context.array(message["code"])
                return {"bytes": raw.nbytes}, raw
    except TamperedError:
        return {"error": "tampered"}, memoryview(b"")
    except JSOOMException:
        return {"error": "memory"}, raw
    except JSEvalException as error:
        return {"error": "script", "message": str(error)}, raw
    return {}, raw


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer messages until `requests` ends."""
    context: Context | None = None
    answers.write(b"{}\n")  # ready
    answers.flush()
    while line := requests.readline():
        message = json.loads(line)
        if message["operation"] == "open":
            context = Context(message["limit_bytes"])
        if context is None:
            raise ValueError("the first message must be open")
        if message["operation"] == "feed":
            context.feed(requests, message["bytes"])
        elif message["operation"] == "close":
            context.close()
        else:
            head, raw = answer(context, message)
            answers.write(json.dumps(head).encode() + b"\n")
            answers.write(raw)
            answers.flush()


def end_with(lifeline: int) -> None:
    """End at once when the parent has ended, also in the middle of a script: its end of the pipe is closed then."""
    os.read(lifeline, 1)
    os._exit(0)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # V8 ends a process that has no memory left by a trap
    threading.Thread(target=end_with, args=(int(sys.argv[1]),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # where V8 writes when it gives up
        os.dup2(nowhere, stream)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
