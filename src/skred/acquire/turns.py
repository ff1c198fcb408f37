"""Our limiter inside the `sentinelhub` client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from skred.acquire.limiter import Limiter, Turn, retry_after_s


class RateLimitedError(Exception):
    """An answer 429, and how long the service asks to wait, if it says so."""

    def __init__(self, wait_s: float | None) -> None:
        super().__init__("429, too many requests")
        self.wait_s = wait_s


class Turns:
    """Takes the place of the rate limiter inside the `sentinelhub` client, which knows its own requests only, and
    fails on a `Retry-After` that is no whole number."""

    def __init__(self, limiter: Limiter, units: float) -> None:
        self._limiter, self._units = limiter, units
        self._turn: Turn | None = None

    def register_next(self) -> float:
        """Before each request of the client: waits its turn. The client need not wait any more."""
        self.close()
        self._turn = self._limiter.enter(self._units)
        return 0.0

    def update(self, headers: Mapping[str, str], *, default: float) -> None:
        """After each answer 429."""
        raise RateLimitedError(retry_after_s(headers.get("Retry-After"), dt.datetime.now(dt.UTC)))

    def close(self) -> None:
        if self._turn is not None:
            self._limiter.leave(self._turn)
