"""Requests and processing units: a minute's worth, a month's worth."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from hub_client import Checker, Client
from hypothesis import given
from hypothesis import strategies as st

from skred.hub.errors import ServiceError
from skred.hub.limits import Account, RateLimits
from skred.hub.server import serve
from skred.hub.service import Asked

SCRIPT = """//VERSION=3
function setup() { return { input: ["B02", "B03", "B04"], output: { bands: 1, sampleType: "UINT8" } }; }
function evaluatePixel(s) { return [1]; }
"""
UNITS = 96 * 80 / 512**2  # of one answer


class Asker:
    """Asks without a client that would wait and try again."""

    def __init__(self, settings: Any) -> None:
        self._base = settings.base_url
        self._payload = Client(settings).request(SCRIPT).payload
        form = {"grant_type": "client_credentials", "client_id": settings.client_id}
        answer = requests.post(settings.token_url, {**form, "client_secret": settings.client_secret}, timeout=10)
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def image(self, **output: Any) -> requests.Response:
        body = {**self._payload, "output": {**self._payload["output"], **output}}
        return requests.post(f"{self._base}/process/v1", json=body, headers=self._headers, timeout=30)

    def search(self) -> requests.Response:
        body = {"collections": ["sentinel-2-l2a"]}
        return requests.post(f"{self._base}/catalog/v1/search", json=body, headers=self._headers, timeout=30)


def test_more_requests_than_a_minute_s_are_told_in_milliseconds_how_long_to_wait() -> None:
    now = [0.0]
    with serve(Checker(), rates=RateLimits(requests_per_minute=4), clock=lambda: now[0]) as settings:
        asker = Asker(settings)
        assert [asker.search().status_code for _ in range(3)] == [200, 200, 200]
        assert asker.image().status_code == 200, "catalog and images share the account"
        refused = asker.search()
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "15000")
        assert refused.json()["error"] == {
            "status": 429,
            "reason": "Too Many Requests",
            "message": "Rate limit exceeded",
            "code": "RATE_LIMIT_EXCEEDED",
        }
        now[0] = 14.9
        assert asker.search().headers["Retry-After"] == "100"
        now[0] = 15.0
        assert [asker.search().status_code for _ in range(2)] == [200, 429]


def test_units_of_a_minute_are_counted_by_what_answers_cost() -> None:
    now, log = [0.0], list[Asked]()
    with serve(Checker(), rates=RateLimits(units_per_minute=2.5 * UNITS), clock=lambda: now[0], log=log) as settings:
        asker = Asker(settings)
        answers = [asker.image() for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert {answer.headers["Retry-After"] for answer in answers[2:]} == {"12000"}  # half an answer's worth
        assert asker.search().status_code == 200, "a search costs no units"
        assert asker.image(width=4000).status_code == 400, "a refused request costs none"
        now[0] = 12.0
        assert asker.image().status_code == 200
    assert sum(one.units for one in log) == pytest.approx(3 * UNITS)


def test_an_answer_that_costs_more_than_a_minute_s_waits_for_a_full_minute() -> None:
    now = [0.0]
    with serve(Checker(), rates=RateLimits(units_per_minute=UNITS / 2), clock=lambda: now[0]) as settings:
        asker = Asker(settings)
        assert [asker.image().status_code for _ in range(2)] == [200, 429]
        now[0] = 119.9
        assert asker.image().status_code == 429
        now[0] = 120.0
        assert asker.image().status_code == 200


@pytest.mark.parametrize("rates", [RateLimits(units_per_month=2.5 * UNITS), RateLimits(requests_per_month=2)])
def test_a_month_that_is_used_up_is_403_with_its_own_code(rates: RateLimits) -> None:
    with serve(Checker(), rates=rates) as settings:
        asker = Asker(settings)
        answers = [asker.image() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 403, 403]
    assert answers[-1].json()["error"]["code"] == "ACCESS_INSUFFICIENT_PROCESSING_UNITS"


def test_the_unmodified_client_waits_and_gets_through() -> None:
    with serve(Checker(), rates=RateLimits(requests_per_minute=600)) as settings:
        client = Client(settings, {"max_retries": None})
        for _ in range(2):
            assert client.image(SCRIPT).shape == (80, 96)


@given(
    limit=st.floats(1, 1000),
    calls=st.lists(st.tuples(st.floats(0, 30), st.floats(0.005, 50)), max_size=60),
)
def test_no_minute_lets_through_more_than_a_full_bucket_and_what_refills(
    limit: float, calls: list[tuple[float, float]]
) -> None:
    now = [0.0]
    account = Account(RateLimits(units_per_minute=limit), lambda: now[0])
    passed: list[tuple[float, float]] = []
    for number, (pause, units) in enumerate(calls):
        now[0] += pause
        try:
            account.charge(str(number), units)
        except ServiceError as error:
            assert error.status == 429
            assert int(error.headers[0][1]) >= 1
        else:
            passed.append((now[0], units))
    for start, _ in passed:
        inside = [units for time, units in passed if start <= time < start + 60]
        # The last answer may take the bucket below zero when it costs more than the bucket holds.
        assert sum(inside[:-1]) <= 2 * limit * (1 + 1e-6)
