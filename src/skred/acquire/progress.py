"""Plain lines about a download on standard error: every tenth of the images or every ten seconds, and at the end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from skred.acquire.store import Record

_EVERY_S = 10.0


class Progress:
    """Counts images of one event; threads may share it. Clocks stay here: nothing of it reaches a file."""

    def __init__(self, event: str) -> None:
        self.event = event
        self._lock = threading.Lock()
        self._total = self._kept = self._new = 0
        self._bytes, self._units = 0, 0.0
        self._told_share, self._told_at = 0, time.monotonic()

    def begin(self, total: int, kept: int) -> None:
        """`total` more images to have, `kept` of which the store has."""
        with self._lock:
            self._total += total
            self._kept += kept

    def one(self, path: Path, record: Record) -> None:
        """One image was fetched."""
        with self._lock:
            self._new += 1
            self._bytes += path.stat().st_size
            self._units += record.units
            done = self._kept + self._new
            share, now = 10 * done // self._total, time.monotonic()
            if share > self._told_share or now - self._told_at >= _EVERY_S:
                self._told_share, self._told_at = share, now
                _say(f"{self.event}: {done} of {self._total} images, {self._spent()}")

    def end(self, used: int, empty: int, records: Iterable[Record], out: Path) -> None:
        """The folder stands: the summary."""
        worth = sum(record.units for record in records)
        without = f", {empty} without data in the area" if empty else ""
        _say(
            f"{self.event}: {out} holds {used} acquisitions{without}; fetched {self._new} images, {self._kept} were "
            f"kept from before; {self._spent()} (all of it: {worth:.1f} PU)"
        )

    def _spent(self) -> str:
        return f"{self._bytes / 1e6:.0f} MB, {self._units:.1f} PU spent"


def _say(line: str) -> None:
    sys.stderr.write(f"skred: {line}\n")
    sys.stderr.flush()
