"""Our limits per minute: never more than the service allows, and no more waiting than needed."""

import datetime as dt
import math
import threading
import time

import pytest
from acquire_place import PARAMS, Place, images, run, served
from hypothesis import given
from hypothesis import strategies as st

from skred.acquire.limiter import Limiter, StoppedError, retry_after_s
from skred.core.errors import SkredError
from skred.hub.limits import Bucket, RateLimits

NOW = dt.datetime(2026, 10, 21, 7, 28, tzinfo=dt.UTC)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def busiest(events, period_s):
    """The largest sum within any period of (time, amount)."""
    return max(sum(amount for time, amount in events if start <= time < start + period_s) for start, _ in events)


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.005, 40), st.floats(0, 30)), min_size=1, max_size=60))
def test_in_any_minute_the_service_sees_no_more_than_the_limits_and_never_an_empty_bucket(requests):
    """Requests of (gap before, units, seconds on its way), one after the other."""
    clock = Clock()
    limiter = Limiter(10, 100, clock=clock)
    seen = []
    buckets = Bucket(10, clock), Bucket(100, clock)
    for gap, units, travel in requests:
        clock.now += gap
        clock.now += limiter.wait_s(units)
        turn = limiter.enter(units)
        clock.now += travel / 2  # the service counts somewhere on the way
        seen.append((clock.now, units))
        for bucket, amount in zip(buckets, (1.0, units), strict=True):
            assert bucket.wait_s(amount) <= 1e-6
            bucket.take(amount)
        clock.now += travel / 2
        limiter.leave(turn)
    assert busiest([(time, 1) for time, _ in seen], 60 - 1e-6) <= 10
    assert busiest(seen, 60 - 1e-6) <= 100 + 1e-6


def test_what_fits_goes_at_once_and_the_next_a_minute_after_the_first_ended():
    clock = Clock()
    limiter = Limiter(3, 100, clock=clock)
    for _ in range(3):
        assert limiter.wait_s(1) == 0
        turn = limiter.enter(1)
        clock.now += 5
        limiter.leave(turn)
    assert limiter.wait_s(1) == 50
    clock.now += 50
    assert limiter.wait_s(1) == 0


def test_while_too_much_is_on_its_way_an_answer_has_to_come_first():
    limiter = Limiter(10, 100, clock=Clock())
    limiter.enter(60)
    assert math.isinf(limiter.wait_s(60))
    assert limiter.wait_s(40) == 0


def test_a_request_above_the_limit_goes_when_nothing_else_counts():
    clock = Clock()
    limiter = Limiter(10, 100, clock=clock)
    limiter.leave(limiter.enter(300))
    assert limiter.wait_s(300) == 60


def test_a_pause_holds_everybody():
    clock = Clock()
    limiter = Limiter(clock=clock)
    limiter.pause(2)
    limiter.pause(1)
    assert limiter.wait_s(0) == 2


def test_stopping_ends_all_waits():
    limiter = Limiter(1)
    limiter.enter(0)
    timer = threading.Timer(0.05, limiter.stop)
    timer.start()
    with pytest.raises(StoppedError):
        limiter.enter(0)
    timer.join()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("700", 0.7),
        ("0.7", 0.0007),
        ("-5", 0.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_how_long_an_answer_429_asks_to_wait(header, seconds):
    assert retry_after_s(header, NOW) == seconds


# A minute of the service lasts a quarter of a second here.
SCALE = 240


@pytest.mark.parametrize("limits", ["requests", "units"])
def test_a_download_with_workers_stays_under_the_limits_of_the_service_and_never_sees_429(tmp_path, limits):
    tiled = PARAMS.model_copy(update={"tile_px": 32, "workers": 6})
    requests, units = (8, math.inf) if limits == "requests" else (math.inf, 0.2)
    rates = RateLimits(
        requests_per_minute=requests if limits == "requests" else None,
        units_per_minute=units if limits == "units" else None,
    )
    log = []
    start = time.monotonic()
    with served(Place(), log=log, rates=rates, clock=lambda: (time.monotonic() - start) * SCALE) as service:
        run(service, tmp_path, params=tiled, limiter=Limiter(requests, units, period_s=60 / SCALE))
    assert {call.status for call in log} == {200}
    assert len(images(log)) == 40


def test_without_our_limits_the_same_download_meets_429(tmp_path):
    tiled = PARAMS.model_copy(update={"tile_px": 32, "workers": 6, "longest_wait_s": 0})
    log = []
    with (
        served(Place(), log=log, rates=RateLimits(requests_per_minute=8)) as service,
        pytest.raises(SkredError, match=r"too many requests, and the service asks to wait \d+ s"),
    ):
        run(service, tmp_path, params=tiled)
    assert 429 in {call.status for call in log}
