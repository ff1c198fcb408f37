"""Runs an evalscript in V8, with a time and a memory limit and no reach outside.

V8 ends its whole process when a script asks for memory that there is not, so scripts run in child processes
(sandbox.py): what a script can break is its own request. A process serves many requests, each in a V8 context of its
own, so that no request sees another's globals; after a script that had to be stopped a new process is started.
"""

from __future__ import annotations

import json
import re
import time
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.hub.errors import ServiceError, refuse, script_error
from skred.hub.processes import EndedError, LateError, Sandbox, give_back, take

_VERSION = re.compile(r"\A\s*//\s*VERSION\s*=\s*3\b")
_RUNTIME = ("functions.js", "runtime.js")
_TAMPERED = "the script changed JavaScript's own objects, which the runtime needs"


class Engine:
    """One evalscript in a V8 context of its own.

    Use as a context manager, from one thread; several engines run at the same time on several cores.

    Parameters
    ----------
    script
        Source text, version 3.
    script_seconds
        Time that all of its code may take.
    script_bytes
        Memory that it may take beside its pixels.

    Raises
    ------
    ServiceError
        400: the script does not parse, throws, runs too long or takes too much memory, here or in a method.
    """

    def __init__(self, script: str, *, script_seconds: float, script_bytes: int) -> None:
        if not _VERSION.match(script):
            refuse("evalscript", "the first line must be //VERSION=3")
        self._seconds, self._left = script_seconds, script_seconds
        self._process: Sandbox | None = take()
        try:
            self._ask("open", limit_bytes=script_bytes, scripts=[*_runtime(), ("evalscript.js", script)])
        except BaseException:  # whatever ends this, an interrupt too, must not leave a process behind
            self.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, ServiceError):
            self._kill()  # an interrupt may have come in the middle of a message
        self.close()

    def close(self) -> None:
        """Free the context; the process is kept for the next request."""
        if self._process is not None:
            give_back(self._process)
        self._process = None

    def has(self, function: str) -> bool:
        """Whether the script defines a function of that name."""
        return bool(self._ask("eval", code=f"typeof {function} === 'function'")["value"])

    def text(self, code: str) -> str:
        """What an expression gives, which is text."""
        value = self._ask("eval", code=code)["value"]
        if not isinstance(value, str):
            raise script_error(_TAMPERED)
        return value

    def json(self, code: str) -> Any:
        """What an expression gives, as JSON data; NaN and the infinities come as their names."""
        text = self.text(f"__hub.text({code})")
        try:
            return json.loads(text)
        except RecursionError:
            raise script_error("what it returns is nested too deeply") from None

    def allocate(self, values: int, *, result_bytes: int) -> None:
        """Make room for `values` input pixels, and allow the script `result_bytes` for what it returns."""
        self._ask("allocate", code=f"__hub.allocate({values})", bytes=4 * values, beside=result_bytes)

    def feed(self, pixels: NDArray[np.float32]) -> None:
        """The next input pixels, in their order in memory."""
        self._send({"operation": "feed", "bytes": pixels.nbytes}, np.ascontiguousarray(pixels).data.cast("B"))

    def run(self, job: dict[str, Any]) -> None:
        """Call ``evaluatePixel`` for every pixel of `job` (see runtime.js)."""
        self._ask("eval", code=f"__hub.run({json.dumps(job)}, evaluatePixel)")

    def result(self, index: int, dtype: np.dtype[Any], length: int) -> NDArray[Any]:
        """The `length` values of one output, flat (band, pixel)."""
        size = self._ask("result", code=f"__hub.result({index})")["bytes"]
        if size != length * dtype.itemsize:
            self._kill()  # rather than read what it sends
            raise script_error(_TAMPERED)
        values = np.empty(length, dtype)
        self._running().read_into(values.data.cast("B"))
        return values

    def _running(self) -> Sandbox:
        if self._process is None:
            raise RuntimeError("the engine is closed")
        return self._process

    def _send(self, message: dict[str, Any], raw: memoryview | None = None) -> None:
        process = self._running()
        try:
            process.send(message, raw)
        except EndedError as error:
            raise self._stopped("the script took more memory than it may take") from error

    def _ask(self, operation: str, **parts: Any) -> dict[str, Any]:
        self._send({"operation": operation, **parts})
        process, began = self._running(), time.monotonic()
        try:
            answer = process.answer(max(self._left, 1e-3))
        except LateError as error:
            raise self._stopped(f"the script took longer than the {self._seconds:g} s that it may take") from error
        except EndedError as error:
            raise self._stopped("the script took more memory than it may take") from error
        finally:
            self._left -= time.monotonic() - began
        match answer.get("error"):
            case "script":
                raise script_error(_what_v8_says(answer["message"]))
            case "tampered":
                raise script_error(_TAMPERED)
            case "memory":
                raise self._stopped("the script took more memory than it may take")
        return answer

    def _stopped(self, message: str) -> ServiceError:
        self._kill()
        return script_error(message)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._process = None


def _what_v8_says(message: str) -> str:
    """Place, kind and source line of an error, without the stack of the runtime below it."""
    return message.split("\n\n", maxsplit=1)[0].strip()


@lru_cache(maxsize=1)
def _runtime() -> tuple[tuple[str, str], ...]:
    return tuple((name, Path(__file__).with_name(name).read_text(encoding="utf-8")) for name in _RUNTIME)
