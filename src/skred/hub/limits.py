"""What an account may ask for: requests and processing units, a minute and in all."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from http import HTTPStatus

from pydantic import PositiveFloat

from skred.core.params import Section
from skred.hub.errors import INSUFFICIENT_UNITS, RATE_LIMIT, ServiceError, status_error


class RateLimits(Section):
    """The limits of the account; None is none. A free account of the Copernicus Data Space has 300, 300, 10,000 and
    10,000 (documentation of March 2025). The server's life counts as one month."""

    requests_per_minute: PositiveFloat | None = None
    units_per_minute: PositiveFloat | None = None
    requests_per_month: PositiveFloat | None = None
    units_per_month: PositiveFloat | None = None


class Bucket:
    """A token bucket: it holds a minute's worth at most, starts full, and fills at that rate. Not for threads."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._size, self._clock = per_minute, clock
        self._level, self._time = per_minute, clock()

    def wait_s(self, amount: float) -> float:
        """Seconds until `amount` may be taken; more than the bucket holds may be taken from a full one."""
        now = self._clock()
        self._level = min(self._size, self._level + (now - self._time) * self._size / 60)
        self._time = now
        missing = min(amount, self._size) - self._level
        # The smallest remainder is the rounding of the line above.
        return missing * 60 / self._size if missing > 1e-9 * self._size else 0.0

    def take(self, amount: float) -> None:
        """Take `amount`, whatever is left: below zero it has to fill up first."""
        self._level -= amount


class Account:
    """Counts requests and processing units against `limits`. Safe from several threads."""

    def __init__(self, limits: RateLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._requests = 0
        self._units = 0.0
        self._request_bucket = Bucket(limits.requests_per_minute, clock) if limits.requests_per_minute else None
        self._unit_bucket = Bucket(limits.units_per_minute, clock) if limits.units_per_minute else None
        self._refused: dict[str, float] = {}  # what a request costs that was refused for its units

    def admit(self, key: str) -> None:
        """Count a request.

        Raises
        ------
        ServiceError
            429 with Retry-After in milliseconds when a minute's worth is used up, 403 when the month's is. A request
            that is refused counts for nothing.
        """
        with self._lock:
            if _is_over(self._limits.requests_per_month, self._requests + 1):
                raise status_error(HTTPStatus.FORBIDDEN, INSUFFICIENT_UNITS)
            _check(self._request_bucket, 1.0)
            if key in self._refused:  # known before it is rendered again
                self._check_units(self._refused[key])
            self._requests += 1
            if self._request_bucket:
                self._request_bucket.take(1.0)

    def charge(self, key: str, units: float) -> None:
        """Count the processing units of an answer that is about to leave with 200. Raises as `admit`."""
        with self._lock:
            self._refused[key] = units
            self._check_units(units)
            del self._refused[key]
            self._units += units
            if self._unit_bucket:
                self._unit_bucket.take(units)

    def _check_units(self, units: float) -> None:
        if _is_over(self._limits.units_per_month, self._units + units):
            raise status_error(HTTPStatus.FORBIDDEN, INSUFFICIENT_UNITS)
        _check(self._unit_bucket, units)


def _is_over(limit: float | None, amount: float) -> bool:
    return limit is not None and amount > limit * (1 + 1e-9)  # sums of the same units in another order differ a little


def _check(bucket: Bucket | None, amount: float) -> None:
    wait_s = bucket.wait_s(amount) if bucket else 0.0
    if wait_s > 0:
        headers = [("Retry-After", str(math.ceil(1000 * wait_s)))]  # milliseconds: the service's own reading of it
        raise ServiceError(HTTPStatus.TOO_MANY_REQUESTS, RATE_LIMIT, "Rate limit exceeded", headers=headers)
