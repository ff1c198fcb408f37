"""The unmodified client under every fault: what our own downloader has to live with.

The client's waits are parameters and near zero here; the last test keeps its own.
"""

from __future__ import annotations

import inspect
import json
import os
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from hub_client import Checker, Client
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth2 import MissingTokenError, OAuth2Error
from rasterio.io import MemoryFile
from sentinelhub import DataCollection, SentinelHubCatalog, SentinelHubDownloadClient, SHConfig
from sentinelhub.exceptions import DownloadFailedException, MissingDataInRequestException, OutOfRequestsException
from tifffile import TiffFileError

from skred.core.errors import InputError
from skred.hub.faults import (
    Body,
    BrokenChunk,
    Corrupt,
    Cut,
    CutTags,
    Empty,
    Fault,
    FaultBook,
    FaultRule,
    Html,
    PathName,
    Reset,
    RevokeTokens,
    Short,
    Slow,
    Status,
    read_rules,
)
from skred.hub.server import serve
from skred.hub.service import Asked

pytestmark = pytest.mark.filterwarnings("ignore:Download rate limit hit")
SCRIPT = """//VERSION=3
function setup() { return { input: [{ bands: ["B02"], units: "DN" }], output: { bands: 1, sampleType: "UINT16" } }; }
function evaluatePixel(s) { return [s.B02]; }
"""
DAY = ("2019-07-04T10:30:00", "2019-07-04T10:50:00")
UNITS = 96 * 80 / 512**2 / 3  # of one answer
WAITS_S = (0.01, 0.03, 0.09)  # of the client, here; its own are 5, 15, 45


@dataclass(frozen=True)
class Call:
    """The service under some faults, the client, and what it asked."""

    client: Client
    log: list[Asked]

    def image(self) -> Any:
        return self.client.image(SCRIPT, time=DAY)

    def search(self) -> list[str]:
        catalog = SentinelHubCatalog(config=self.client.config)
        return [one["id"] for one in catalog.search(DataCollection.SENTINEL2_L2A, time=DAY)]

    def statuses(self, path: PathName = "process") -> list[int | None]:
        return [one.status for one in self.log if one.path == path]

    def wait_for(self, calls: int, path: PathName = "process") -> list[Asked]:
        """The calls of a path, once so many are in the log: slow ones end only with the server."""
        end = time.monotonic() + 20
        while len(self.statuses(path)) < calls and time.monotonic() < end:
            time.sleep(0.01)
        return [one for one in self.log if one.path == path]


def on(fault: Fault, path: PathName = "process", **which: Any) -> FaultRule:
    return FaultRule(path=path, fault=fault, **which)


@contextmanager
def service(*rules: FaultRule, source: Checker | None = None, **config: Any) -> Iterator[Call]:
    log: list[Asked] = []
    options = {"max_download_attempts": 4, "download_sleep_time": WAITS_S[0], "max_retries": None, **config}
    with serve(source or Checker(), faults=rules, log=log) as settings:
        yield Call(Client(settings, options), log)


def whole(image: Any) -> bool:
    return np.array_equal(image, np.floor(Checker().whole("S2_04", "B02").astype(float) * 10_000 + 0.5))


def test_the_client_s_own_waits_are_these() -> None:
    config = SHConfig(use_defaults=True)
    assert (config.max_download_attempts, config.download_sleep_time) == (4, 5.0)
    assert config.max_retries is None
    assert inspect.signature(SentinelHubDownloadClient).parameters["default_retry_time"].default == 30


def test_retry_after_is_in_milliseconds() -> None:
    with service(on(Status(status=429, retry_after="300"), calls=(1,))) as call:
        start = time.monotonic()
        assert whole(call.image())
        assert 0.3 <= time.monotonic() - start < 60  # 300 s if they were seconds
    assert call.statuses() == [429, 200]


@pytest.mark.parametrize("retry_after", ["0.7", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_that_is_no_whole_number_is_a_bare_value_error(retry_after: str) -> None:
    with service(on(Status(status=429, retry_after=retry_after))) as call, pytest.raises(ValueError, match="int"):
        call.image()
    assert call.statuses() == [429]


def test_without_retry_after_the_client_waits_its_default() -> None:
    with service(on(Status(status=429), calls=(1,))) as call:
        client = SentinelHubDownloadClient(config=call.client.config, default_retry_time=0.2)
        start = time.monotonic()
        client.download(call.client.request(SCRIPT, time=DAY).download_list)
        assert 0.2 <= time.monotonic() - start < 10
    assert call.statuses() == [429, 200]


def test_429_for_ever_ends_only_with_max_retries() -> None:
    with service(on(Status(status=429, retry_after="1"), times=9)) as call:
        assert whole(call.image())
    assert call.statuses() == [429] * 9 + [200]
    with service(on(Status(status=429, retry_after="1")), max_retries=3) as call, pytest.raises(OutOfRequestsException):
        call.image()
    assert call.statuses() == [429] * 3


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        *[(Status(status=status), status, str(status)) for status in (500, 502, 503, 504)],
        (Reset(), None, "Connection reset"),
        (Slow(seconds=600), None, "timed out"),
        (Cut(), 200, "more expected"),
        (Cut(part=0), 200, "more expected"),
        (BrokenChunk(), 200, "more expected"),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_four_tries_with_growing_waits_and_then_an_error(fault: Fault, status: int | None, words: str) -> None:
    timeout = {"download_timeout_seconds": 1} if isinstance(fault, Slow) else {}
    with service(on(fault), **timeout) as call:
        call.search()
        start = time.monotonic()
        with pytest.raises(DownloadFailedException, match=words):
            call.image()
    assert time.monotonic() - start >= sum(WAITS_S)
    asked = call.wait_for(4)
    assert [one.fault for one in asked] == [fault.kind] * 4
    assert [one.status for one in asked] == [status] * 4


@pytest.mark.parametrize(
    "fault", [Status(status=503), Reset(), Slow(seconds=600), Cut(), BrokenChunk()], ids=lambda fault: fault.kind
)
def test_what_goes_away_is_survived(fault: Fault) -> None:
    timeout = {"download_timeout_seconds": 3} if isinstance(fault, Slow) else {}
    with service(on(fault, tries=(1,)), on(fault, "catalog", tries=(1,)), **timeout) as call:
        assert call.search() == ["S2_04"]
        assert whole(call.image())
    assert len(call.wait_for(2)) == len(call.wait_for(2, "catalog")) == 2


@pytest.mark.parametrize("path", ["process", "catalog"])
@pytest.mark.parametrize("status", [400, 403, 404, 408])
def test_a_refusal_is_final_at_once(status: int, path: PathName) -> None:
    with service(on(Status(status=status), path)) as call, pytest.raises(DownloadFailedException, match=str(status)):
        call.image() if path == "process" else call.search()
    assert call.statuses(path) == [status]


def test_a_spent_account_is_told_by_its_code_alone() -> None:
    spent = Status(status=403, code="ACCESS_INSUFFICIENT_PROCESSING_UNITS")
    with service(on(spent, calls=(1,)), on(Status(status=403), calls=(2,))) as call:
        with pytest.raises(DownloadFailedException, match="ACCESS_INSUFFICIENT_PROCESSING_UNITS"):
            call.image()
        with pytest.raises(DownloadFailedException, match="ACCESS_INSUFFICIENT_PERMISSIONS"):
            call.image()


@pytest.mark.parametrize("path", ["process", "catalog"])
def test_after_401_the_dead_token_stays_until_the_cache_is_cleared(path: PathName) -> None:
    with service(on(RevokeTokens(), path, calls=(1,))) as call:
        ask = call.image if path == "process" else call.search
        for _ in range(2):
            with pytest.raises(DownloadFailedException, match="401"):
                ask()
        assert (call.statuses("token"), call.statuses(path)) == ([200], [401, 401])
        SentinelHubDownloadClient.clear_cache()
        ask()
    assert (call.statuses("token"), call.statuses(path)) == ([200, 200], [401, 401, 200])


def test_a_plain_401_fails_at_once() -> None:
    with service(on(Status(status=401))) as call, pytest.raises(DownloadFailedException, match="COMMON_UNAUTHORIZED"):
        call.image()
    assert (call.statuses("token"), call.statuses()) == ([200], [401])


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_login_is_an_error_of_another_library(status: int) -> None:
    with service(on(Status(status=status), "token")) as call, pytest.raises(OAuth2Error, match="unauthorized_client"):
        call.image()
    assert call.statuses("token") == [status]


@pytest.mark.parametrize("fault", [Status(status=500), Status(status=503), Reset(), Cut()], ids=lambda one: one.kind)
def test_a_login_that_fails_is_tried_again(fault: Fault) -> None:
    with service(on(fault, "token", times=3)) as call:
        assert whole(call.image())
    assert len(call.statuses("token")) == 4
    with service(on(fault, "token")) as call, pytest.raises(DownloadFailedException):
        call.image()
    assert len(call.statuses("token")) == 4


def test_429_from_the_login_is_a_raw_error_at_once() -> None:
    with (
        service(on(Status(status=429, retry_after="1"), "token")) as call,
        pytest.raises(requests.HTTPError, match="429"),
    ):
        call.image()
    assert call.statuses("token") == [429]


@pytest.mark.parametrize("fault", [Html(), Empty(), Body(text="{}")], ids=lambda fault: fault.kind)
def test_a_login_without_a_token_is_an_error_of_another_library(fault: Fault) -> None:
    with service(on(fault, "token")) as call, pytest.raises(MissingTokenError):
        call.image()
    assert call.statuses("token") == [200]


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Corrupt(), zlib.error), (Html(), TiffFileError), (Empty(), TiffFileError)],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_broken_body_is_neither_tried_again_nor_wrapped(fault: Fault, error: type[Exception]) -> None:
    with service(on(fault)) as call, pytest.raises(error):
        call.image()
    assert call.statuses() == [200]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Html(), ValueError),
        (Short(), ValueError),
        (Empty(), MissingDataInRequestException),
        (Body(text="{}"), KeyError),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_broken_catalog_answer_is_neither_tried_again_nor_wrapped(fault: Fault, error: type[Exception]) -> None:
    with service(on(fault, "catalog")) as call, pytest.raises(error):
        call.search()
    assert call.statuses("catalog") == [200]


@pytest.mark.parametrize("part", [0.02, 0.5, 0.99])
def test_a_short_image_is_neither_tried_again_nor_wrapped(part: float) -> None:
    with service(on(Short(part=part)), source=Checker(simulated=False)) as call, pytest.raises(zlib.error):
        call.image()
    assert call.statuses() == [200]


def test_an_image_cut_in_its_trailing_tags_is_decoded_without_a_word() -> None:
    with service(on(CutTags())) as call:
        assert whole(call.image())
        answer = call.client.answer(SCRIPT, time=DAY)
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with MemoryFile(answer.content) as memory, memory.open() as dataset:  # GDAL takes it, too: it warns on its log
        assert "simulated" not in dataset.tags()


def test_an_image_cut_before_its_trailing_tags_is_decoded_as_nothing_without_a_word() -> None:
    with service(on(CutTags(length=10_000))) as call:
        assert call.image().shape == (0,)


def test_a_slow_answer_ends_with_the_server() -> None:
    with ThreadPoolExecutor(1) as pool:
        with service(on(Slow(seconds=600)), max_download_attempts=1) as call:
            waiting = pool.submit(call.image)
            assert [one.status for one in call.wait_for(1, "token")] == [200]
            start = time.monotonic()
        with pytest.raises(DownloadFailedException):
            waiting.result(10)
        assert time.monotonic() - start < 10


def test_the_log_tells_what_was_asked_and_charged() -> None:
    rules = [on(Status(status=503), calls=(1,)), on(Cut(), calls=(2,)), on(Reset(), calls=(3,))]
    with service(*rules) as call:
        call.search()
        call.image()
    seen = [(one.path, one.number, one.status, one.fault) for one in call.log]
    assert seen == [
        ("token", 1, 200, None),
        ("catalog", 1, 200, None),
        ("process", 1, 503, "status"),
        ("process", 2, 200, "cut"),
        ("process", 3, None, "reset"),
        ("process", 4, 200, None),
    ]
    # The service answered 200 twice. It cannot know that the first answer was cut on its way, so it charges both.
    assert [one.units for one in call.log] == pytest.approx([0, 0, 0, UNITS, 0, UNITS])
    process = [one.key for one in call.log if one.path == "process"]
    assert len(set(process)) == 1
    assert process[0] != call.log[1].key


def test_nobody_renders_for_an_answer_that_says_nothing_of_pixels() -> None:
    with service(on(Html(), calls=(1,)), on(Empty(), calls=(2,))) as call:
        for _ in range(2):
            with pytest.raises(TiffFileError):
                call.image()
    assert [(one.status, one.units) for one in call.log if one.path == "process"] == [(200, 0.0), (200, 0.0)]


def test_every_answer_says_that_it_is_simulated_faults_too() -> None:
    with service(on(Html())) as call:
        headers = call.client.answer(SCRIPT, time=DAY).headers
    assert (headers["X-Skred-Simulated"], headers["X-Skred-Offline"]) == ("yes", "simulated")


def _taken(rule: FaultRule, keys: list[str]) -> list[int]:
    """Numbers of the calls that the rule takes, of calls with these bodies."""
    book = FaultBook([rule])
    calls = [book.next_call("process", key) for key in keys]
    return [number for number, fault in calls if fault is not None]


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"calls": (2, 5)}, [2, 5]),
        ({"every": 3}, [3, 6]),
        ({"after": 4}, [5, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2, "after": 2, "times": 1}, [4]),
        ({"tries": (1,)}, [1, 2, 4]),
        ({"tries": (2, 3)}, [3, 5, 6]),
        ({"path": "catalog"}, []),
    ],
)
def test_a_rule_takes_the_calls_that_it_says(which: dict[str, Any], numbers: list[int]) -> None:
    rule = FaultRule(**{"path": "process", "fault": Reset(), **which})
    assert _taken(rule, ["a", "b", "a", "c", "b", "a"]) == numbers


def test_the_first_rule_that_takes_a_call_counts() -> None:
    book = FaultBook([on(Reset(), calls=(2,)), on(Cut(), every=2), on(Html(), "catalog")])
    assert [book.next_call("process", "x")[1] for _ in range(4)] == [None, Reset(), None, Cut()]


@given(seed=st.integers(0, 2**32), order=st.permutations([f"{n}" for n in range(40)] * 2))
def test_a_seeded_share_takes_the_same_tries_whatever_the_order(seed: int, order: list[str]) -> None:
    def fates(keys: list[str]) -> set[tuple[str, int]]:
        book, tries = FaultBook([on(Reset(), share=0.3, seed=seed)]), Counter[str]()
        found = set()
        for key in keys:
            tries[key] += 1
            if book.next_call("process", key)[1] is not None:
                found.add((key, tries[key]))
        return found

    assert fates(order) == fates(sorted(order))


def test_a_share_is_about_that_share_and_differs_with_its_seed() -> None:
    keys = [str(number) for number in range(4000)]
    first, second = (set(_taken(on(Reset(), share=0.25, seed=seed), keys)) for seed in (1, 2))
    assert abs(len(first) / 4000 - 0.25) < 0.03  # four standard deviations
    assert first != second


def test_rules_are_read_from_yaml_and_json(tmp_path: Path) -> None:
    text = """
- {path: token, fault: {kind: status, status: 503}, calls: [1]}
- path: process
  fault: {kind: status, status: 429, retry_after: "700"}
  share: 0.1
  seed: 7
- {path: process, fault: {kind: corrupt, part: 0.7}, every: 10, times: 3}
"""
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    rules = read_rules(file)
    assert rules == (
        on(Status(status=503), "token", calls=(1,)),
        on(Status(status=429, retry_after="700"), share=0.1, seed=7),
        on(Corrupt(part=0.7), every=10, times=3),
    )
    file.write_text(json.dumps([rule.model_dump(mode="json") for rule in rules]))
    assert read_rules(file) == rules


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- {path: proces, fault: {kind: reset}}", "path"),
        ("- {path: process, fault: {kind: explode}}", "explode"),
        ("- {path: process, fault: {kind: status, status: 200}}", "status"),
        ("- {path: process, fault: {kind: status, status: 499}}", "status of HTTP"),
        ("- {path: process, fault: {kind: reset}, cals: [1]}", "cals"),
        ("- {path: process, fault: {kind: reset}, share: 2}", "share"),
        ("path: process", "whole file"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=named) as caught:
        read_rules(file)
    assert str(caught.value).startswith(str(file))


@pytest.mark.skipif(not os.environ.get("SKRED_SLOW"), reason="65 s of the client's own waits: set SKRED_SLOW=1")
@pytest.mark.timeout(200)
def test_the_client_waits_5_15_and_45_s_between_its_tries() -> None:
    config = SHConfig(use_defaults=True)
    own = {"download_sleep_time": config.download_sleep_time, "max_download_attempts": config.max_download_attempts}
    with service(on(Status(status=503)), **own) as call, pytest.raises(DownloadFailedException):
        call.search()
        start = time.monotonic()
        call.image()
    assert 65 <= time.monotonic() - start < 75
    assert call.statuses() == [503] * 4
