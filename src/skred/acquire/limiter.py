"""A service's limits per minute, kept by us: no answer 429 is needed to learn that they are reached."""

from __future__ import annotations

import datetime as dt
import email.utils
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from skred.core.errors import SkredError

MINUTE_S = 60.0


class StoppedError(SkredError):
    """A request was given up, because another one failed for good."""


@dataclass(eq=False)
class Turn:
    """One request that counts: `ended` is when its answer was there, None while it is on its way."""

    units: float
    ended: float | None = None


class Limiter:
    """At most so many requests, and so many processing units, a minute. Threads share it.

    A request counts from before it is sent until `period_s` after its answer. So the service sees no more than the
    limits in any minute, however long requests travel, and whether it counts by the clock's minutes, by sliding ones
    or with a bucket that refills steadily.

    Parameters
    ----------
    requests, units
        How many requests and processing units fit into a period; without a limit by default. A request that alone
        is worth more goes when nothing else counts.
    period_s
        Length of the period in seconds.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        requests: float = math.inf,
        units: float = math.inf,
        *,
        period_s: float = MINUTE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests, self._units, self._period_s, self._clock = requests, units, period_s, clock
        self._changed = threading.Condition()
        self._turns: list[Turn] = []
        self._paused_until = -math.inf
        self._stopped = False

    def enter(self, units: float) -> Turn:
        """Wait until a request of so many units may be sent.

        Raises
        ------
        StoppedError
            `stop` was called.
        """
        with self._changed:
            while not self._stopped and (wait_s := self.wait_s(units)) > 0:
                self._changed.wait(None if math.isinf(wait_s) else wait_s)
            if self._stopped:
                raise StoppedError("given up, because another request failed")
            turn = Turn(units)
            self._turns.append(turn)
            return turn

    def leave(self, turn: Turn) -> None:
        """The answer is there, or there will be none."""
        with self._changed:
            turn.ended = self._clock()
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Nobody enters for so long: the service asked for it."""
        with self._changed:
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    def stop(self) -> None:
        """End all waits for good."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait_s(self, units: float) -> float:
        """Seconds until a request of so many units may go, as far as known; infinite if an answer must come first."""
        with self._changed:
            now = self._clock()
            self._turns = [turn for turn in self._turns if turn.ended is None or turn.ended + self._period_s > now]
            counting = sorted(self._turns, key=lambda turn: math.inf if turn.ended is None else turn.ended)
            free_at = self._paused_until
            while counting and (
                len(counting) >= self._requests or sum(turn.units for turn in counting) + units > self._units
            ):
                first = counting.pop(0)
                free_at = max(free_at, math.inf if first.ended is None else first.ended + self._period_s)
            return max(free_at - now, 0.0)


def retry_after_s(header: str | None, now: dt.datetime) -> float | None:
    """How long a `Retry-After` asks to wait, in seconds; None where it does not say.

    A number means milliseconds at this service, unlike anywhere else in HTTP (RFC 9110 section 10.2.3 has seconds, or
    a date). A date is taken as one.
    """
    if header is None:
        return None
    try:
        value = float(header)
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(header)
        except ValueError:
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=dt.UTC)
        return max((date - now).total_seconds(), 0.0)
    return max(value, 0.0) / 1000 if math.isfinite(value) else None
