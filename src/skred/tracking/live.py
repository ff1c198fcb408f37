"""Tracking while a stage trains.

The stage tells a child process, line by line, and never waits for it: a slow or broken store costs a warning, and what
the child imports, draws at random or keeps in memory cannot reach the weights. When the stage is killed the child sees
the end of the lines without a last word, and marks the run as failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from skred.tracking.records import card_metrics, card_tags, one_line, step_row

if TYPE_CHECKING:
    from skred.detectors.model import ModelCard

_LAST_WORDS_S = 45.0  # a new store takes about ten seconds to be made, a locked one twenty to be given up


class Watcher:
    """Tells the child of a training; says nothing to anyone when there is no child."""

    def __init__(self, child: subprocess.Popen[bytes] | None = None) -> None:
        self._child = child

    def step(self, number: int, row: Mapping[str, float]) -> None:
        """One step of the training, as `skred.detectors.base.Report`."""
        self._tell({"step": step_row(number, row)})

    def trained(self, card: ModelCard) -> None:
        """What came of it."""
        self._tell({"tags": card_tags(card), "values": card_metrics(card)})

    def end(self, status: str) -> None:
        """The last word: ``FINISHED`` or ``FAILED``; then wait for the child, not for ever."""
        self._tell({"end": status})
        child, self._child = self._child, None
        if child is None:
            return
        try:
            child.communicate(timeout=_LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            warn(f"no answer from the store within {_LAST_WORDS_S:.0f} s")

    def _tell(self, message: Mapping[str, Any]) -> None:
        if self._child is None or self._child.stdin is None:
            return
        try:
            self._child.stdin.write((json.dumps(message) + "\n").encode())
            self._child.stdin.flush()
        except (BrokenPipeError, BlockingIOError):
            pass  # the child has given up, and has said so; or it hangs, which the end will find


@contextmanager
def training_run(cell: str) -> Iterator[Watcher]:
    """Track a training in MLflow when DVC started it; do nothing when it was started by hand."""
    if not os.environ.get("DVC_STAGE"):
        yield Watcher()
        return
    watcher = Watcher(_child(cell))
    status = "FAILED"
    try:
        yield watcher
        status = "FINISHED"
    finally:
        watcher.end(status)


def warn(reason: object) -> None:
    """The one line that broken tracking costs."""
    sys.stderr.write(f"skred: MLflow: {one_line(reason)}; the training goes on, `skred track` records it later\n")


def _child(cell: str) -> subprocess.Popen[bytes] | None:
    try:
        child = subprocess.Popen([sys.executable, "-m", "skred.tracking.child", cell], stdin=subprocess.PIPE)
    except OSError as error:
        warn(error)
        return None
    if child.stdin is not None:
        os.set_blocking(child.stdin.fileno(), False)
    return child
