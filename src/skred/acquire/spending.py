"""What the service has charged since we began, whole answers or not, kept within the budget."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from skred.core.errors import SkredError

_ROUNDING = 1e-6  # units; sums of prices are no exact numbers


@dataclass(frozen=True)
class Spent:
    """Processing units: all that was charged, and the part of it for answers that were of no use."""

    units: float = 0.0
    lost_units: float = 0.0


@dataclass
class Bill:
    """What one request costs. Until somebody knows better it is charged, and of no use."""

    units: float
    useful: bool = False


class Spending:
    """A sum with a limit. Threads share it."""

    def __init__(self, budget_units: float) -> None:
        self._budget_units = budget_units
        self._lock = threading.Lock()
        self._spent = Spent()
        self._on_their_way = 0.0

    @property
    def spent(self) -> Spent:
        return self._spent

    @contextmanager
    def request(self, units: float, what: str) -> Iterator[Bill]:
        """Around a request that should cost so many units; the block corrects the bill by what the answer says.

        Of an answer that never came whole nobody knows whether it was charged: it counts.

        Raises
        ------
        SkredError
            With this request the sum would pass the budget.
        """
        with self._lock:
            if self._spent.units + self._on_their_way + units > self._budget_units + _ROUNDING:
                raise SkredError(
                    f"{what}: {self._spent.units:.2f} PU are spent, {self._spent.lost_units:.2f} of them for answers "
                    f"that were of no use, and {self._on_their_way:.2f} are on their way; {units:.2f} more would pass "
                    f"download.budget_pu ({self._budget_units:g}); what has been fetched is kept, run the download "
                    "again to go on with a new budget"
                )
            self._on_their_way += units
        bill = Bill(units)
        try:
            yield bill
        finally:
            with self._lock:
                self._on_their_way -= units
                lost = 0.0 if bill.useful else bill.units
                self._spent = Spent(self._spent.units + bill.units, self._spent.lost_units + lost)
