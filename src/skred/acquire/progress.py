"""How far a download is, on standard error: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from skred.acquire.plan import count_reasons
from skred.acquire.spending import Spent
from skred.acquire.store import Record
from skred.manifest import LeftOut

_EVERY_S = 10.0  # seconds between lines of a log, unless a tenth of the images came sooner
_BAR = "{desc} {percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt} images{postfix}, {remaining} left"


class Progress:
    """Counts images of one event; threads may share it. Clocks stay here: nothing of it reaches a file."""

    def __init__(self, event: str) -> None:
        self.event = event
        self._lock = threading.Lock()
        self._total = self._kept = self._new = 0
        self._bytes, self._spent = 0, Spent()
        self._told_share, self._told_at = 0, time.monotonic()
        self._bar: tqdm | None = None

    def begin(self, total: int, kept: int) -> None:
        """`total` more images to have, `kept` of which the store has."""
        with self._lock:
            self._total += total
            self._kept += kept
            if sys.stderr.isatty():
                if self._bar is None:
                    self._bar = tqdm(desc=self.event, bar_format=_BAR, total=0, file=sys.stderr, leave=False)
                self._bar.total = self._total
                self._bar.initial += kept  # so that the time left counts new images only
                self._bar.update(kept)

    def one(self, path: Path, spent: Spent) -> None:
        """One image was fetched; `spent` is the sum until now."""
        self._count(spent, path.stat().st_size, new=1)

    def kept(self, spent: Spent) -> None:
        """One image need not be fetched any more: another download has put it into the store."""
        self._count(spent, 0, new=0)

    def _count(self, spent: Spent, size: int, *, new: int) -> None:
        with self._lock:
            self._new += new
            self._kept += 1 - new
            self._bytes += size
            self._spent = spent
            if self._bar is not None:
                self._bar.set_postfix_str(self._price(), refresh=False)
                self._bar.update(1)
                return
            done = self._kept + self._new
            share, now = 10 * done // self._total, time.monotonic()
            if share > self._told_share or now - self._told_at >= _EVERY_S:
                self._told_share, self._told_at = share, now
                _say(f"{self.event}: {done} of {self._total} images, {self._price()}")

    def end(self, used: int, left_out: Iterable[LeftOut], records: Iterable[Record], out: Path, spent: Spent) -> None:
        """The folder stands: the summary."""
        self.close()
        self._spent = spent
        worth = sum(record.units for record in records)
        reasons = ", ".join(f"{count} {reason}" for reason, count in count_reasons([one.reason for one in left_out]))
        without = f" (left out: {reasons})" if reasons else ""
        _say(
            f"{self.event}: {out} holds {used} acquisitions{without}; fetched {self._new} images, {self._kept} were "
            f"kept from before; {self._price()} (all of it: {worth:.1f} PU)"
        )

    def close(self) -> None:
        """Take the bar away: what is said next begins on a line of its own."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _price(self) -> str:
        lost = self._spent.lost_units
        broken = f" ({lost:.2f} PU of it for broken answers)" if lost > 0 else ""
        return f"{self._bytes / 1e6:.1f} MB, {self._spent.units:.1f} PU spent{broken}"


def _say(line: str) -> None:
    sys.stderr.write(f"skred: {line}\n")
    sys.stderr.flush()
