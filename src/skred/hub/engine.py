"""Runs an evalscript in V8, with a time and a memory limit and no reach outside."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from py_mini_racer import JSEvalException, JSOOMException, JSTimeoutException, MiniRacer

from skred.hub.errors import refuse, script_error

_VERSION = re.compile(r"\A\s*//\s*VERSION\s*=\s*3\b")
# Two first contexts made at the same moment both set up V8's address space, and the second kills the process.
_one_at_a_time = threading.Lock()
_STOP_SECONDS = 5.0  # in which V8 has stopped a script; microseconds in practice


class Engine:
    """One evalscript in a V8 context of its own (5 ms to make), so that no request sees another's globals.

    Use as a context manager, from one thread; several engines run at the same time on several cores.

    Parameters
    ----------
    script
        Source text, version 3.
    script_seconds
        Time that all of its code may take.
    script_bytes
        Limit of V8's heap.

    Raises
    ------
    ServiceError
        400: the script does not parse, throws, runs too long or takes too much memory, here or in a method.
    """

    def __init__(self, script: str, *, script_seconds: float, script_bytes: int) -> None:
        if not _VERSION.match(script):
            refuse("evalscript", "the first line must be //VERSION=3")
        self._seconds, self._left = script_seconds, script_seconds
        self._interrupted = False
        with _one_at_a_time:
            self._context = MiniRacer()
        try:
            self._context.set_hard_memory_limit(script_bytes)
            self._context.eval(_runtime())
            self._eval(f"{script}\n//# sourceURL=evalscript.js")
        except BaseException:  # whatever ends this, an interrupt too, must not leave a V8 context: free it and go on
            self.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the context."""
        if self._interrupted:
            # The answer of the code that was stopped is still on its way through V8's queue, and must not arrive after
            # the context is gone: what is asked now is answered later than that.
            with suppress(JSEvalException):
                self._context.eval("0", timeout_sec=_STOP_SECONDS)
        self._context.close()

    def has(self, function: str) -> bool:
        """Whether the script defines a function of that name."""
        return bool(self._eval(f"typeof {function} === 'function'"))

    def setup(self) -> Any:
        """What the script's ``setup()`` returns, as JSON data."""
        for name in ("setup", "evaluatePixel"):
            if not self.has(name):
                raise script_error(f"the script has no function {name}")
        text = self._eval("JSON.stringify(setup())")
        try:
            return json.loads(text) if isinstance(text, str) else None
        except ValueError as error:  # only a script that replaces JSON.stringify comes here
            raise script_error("setup() must return an object") from error

    def allocate(self, length: int) -> NDArray[np.float32]:
        """The zeroed input pixels, shared with V8: what is written here is what the script sees."""
        return np.frombuffer(self._memory(f"__hub.allocate({length})"), np.float32)

    def run(self, job: dict[str, Any]) -> None:
        """Call ``evaluatePixel`` for every pixel of `job` (see runtime.js)."""
        self._eval(f"__hub.run({json.dumps(job)}, evaluatePixel)")

    def result(self, index: int, dtype: np.dtype[Any], length: int) -> NDArray[Any]:
        """The `length` values of one output, flat (band, pixel); a copy, good after the engine is closed."""
        memory = self._memory(f"__hub.result({index})")
        if memory.nbytes != length * dtype.itemsize:
            raise script_error("the script changed JavaScript's own objects, which the runtime needs")
        return np.frombuffer(memory, dtype).copy()

    def _memory(self, code: str) -> memoryview:
        memory = self._eval(code)
        if not isinstance(memory, memoryview):
            raise script_error("the script changed JavaScript's own objects, which the runtime needs")
        return memory

    def _eval(self, code: str) -> Any:
        began = time.monotonic()
        try:
            return self._context.eval(code, timeout_sec=max(self._left, 1e-3))
        except JSTimeoutException as error:
            self._interrupted = True
            raise script_error(f"the script took longer than the {self._seconds:g} s that it may take") from error
        except JSOOMException as error:
            raise script_error("the script took more memory than it may take") from error
        except JSEvalException as error:
            raise script_error(_what_v8_says(str(error))) from error
        finally:
            self._left -= time.monotonic() - began


def _what_v8_says(message: str) -> str:
    """Place, kind and source line of an error, without the stack of the runtime below it."""
    return message.split("\n\n", maxsplit=1)[0].strip()


@lru_cache(maxsize=1)
def _runtime() -> str:
    return Path(__file__).with_name("runtime.js").read_text(encoding="utf-8") + "\n//# sourceURL=runtime.js"
