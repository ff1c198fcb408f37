"""Each way in which the service can fail, through the whole download: more tries, or one line; never a wrong pixel."""

import re
import socket
import threading
import time
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from acquire_place import PARAMS, Place, digest, images, run, run_with, served
from sentinelhub.exceptions import DownloadFailedException

from skred.acquire.client import ImageService
from skred.acquire.limiter import Limiter
from skred.acquire.login import Login
from skred.acquire.refusals import never_sent
from skred.core.errors import InputError, SkredError
from skred.hub.faults import (
    Body,
    BrokenChunk,
    Corrupt,
    Cut,
    CutTags,
    Empty,
    FaultRule,
    Html,
    Reset,
    RevokeTokens,
    Short,
    Slow,
    Status,
)
from skred.manifest import read_manifest

SERIAL = PARAMS.model_copy(update={"workers": 1})
IMPATIENT = SERIAL.model_copy(update={"timeout_s": 3.0})


def params_for(fault):
    return IMPATIENT if isinstance(fault, Slow) else SERIAL


# What goes away: one more request, and the same pixels.
PASSING = {
    "429 in milliseconds": Status(status=429, retry_after="5"),
    "429 as a float": Status(status=429, retry_after="0.7"),
    "429 as a date": Status(status=429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    "429 with nonsense": Status(status=429, retry_after="soon"),
    "429 without a header": Status(status=429),
    "408": Status(status=408),
    **{str(status): Status(status=status) for status in (500, 502, 503, 504)},
    "reset": Reset(),
    "too slow": Slow(seconds=60),  # it ends with the server
    "shorter than declared": Cut(),
    "broken chunk": BrokenChunk(),
    "short": Short(),
    "corrupt": Corrupt(),
    "corrupt directory": Corrupt(part=0.98, length=8),
    "cut in its tags": CutTags(),
    "empty": Empty(),
    "HTML": Html(),
    "401": Status(status=401),
    "withdrawn token": RevokeTokens(),
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    log = []
    with served(Place(), log=log) as service:
        run(service, folder)
    return digest(folder / "raw"), len(images(log))


@pytest.mark.parametrize("fault", PASSING)
def test_an_image_fault_that_passes_costs_one_more_request_and_changes_no_byte(tmp_path, undisturbed, fault):
    log = []
    rule = FaultRule(path="process", fault=PASSING[fault], calls=(2,))
    with served(Place(), log=log, faults=[rule]) as service:
        run(service, tmp_path, params=params_for(PASSING[fault]))
    expected, requests = undisturbed
    assert digest(tmp_path / "raw") == expected
    assert settled(log, requests + 1)
    assert sorted(Counter(call.key for call in images(log)).values()) == [1] * (requests - 1) + [2]


@pytest.mark.parametrize("fault", [name for name in PASSING if name not in ("corrupt directory", "cut in its tags")])
def test_a_catalog_fault_that_passes_changes_no_byte(tmp_path, undisturbed, fault):
    rule = FaultRule(path="catalog", fault=PASSING[fault], calls=(2,))
    with served(Place(), faults=[rule]) as service:
        run(service, tmp_path, params=params_for(PASSING[fault]))
    assert digest(tmp_path / "raw") == undisturbed[0]


LOGIN = {
    "429": Status(status=429),
    "503": Status(status=503),
    "reset": Reset(),
    "too slow": Slow(seconds=60),  # it ends with the server
    "shorter than declared": Cut(),
    "short": Short(),
    "empty": Empty(),
    "HTML": Html(),
    "no token in it": Body(text='{"token_type": "Bearer"}'),
    "a list": Body(text="[]"),
    "a word": Body(text='"token"'),
}


@pytest.mark.parametrize("fault", LOGIN)
def test_a_login_fault_that_passes_changes_no_byte(tmp_path, undisturbed, fault):
    rule = FaultRule(path="token", fault=LOGIN[fault], calls=(1,))
    with served(Place(), faults=[rule]) as service:
        run(service, tmp_path, params=params_for(LOGIN[fault]))
    assert digest(tmp_path / "raw") == undisturbed[0]


def settled(log, count):
    """Whether the service has logged so many images: a late answer is logged when it is ready, not when asked."""
    until = time.monotonic() + 5
    while len(images(log)) < count and time.monotonic() < until:
        time.sleep(0.01)
    return len(images(log)) == count


def disturbed(folder, rule, params=SERIAL, error=SkredError, **options):
    """What a download says that fails for good at its fourth image, and the service's log of it."""
    log = []
    with served(Place(), log=log, faults=[rule], **options) as service:
        with pytest.raises(error) as caught:
            run(service, folder, params=params)
        assert service.client_secret not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value), log


@pytest.mark.parametrize("fault", [name for name in PASSING if name not in ("401", "withdrawn token")])
def test_a_lasting_fault_ends_after_the_tries_with_one_line_and_all_that_came_before_kept(tmp_path, undisturbed, fault):
    rule = FaultRule(path="process", fault=PASSING[fault], after=3)
    told, log = disturbed(tmp_path, rule, params=params_for(PASSING[fault]))
    assert "run the download again" in told
    assert "no usable answer after 3 tries" in told
    assert settled(log, 3 + SERIAL.max_tries)
    assert len(list((tmp_path / "store").glob("*.tif"))) == len(list((tmp_path / "store").glob("*.json"))) == 3
    assert not (tmp_path / "raw").exists()
    again = []
    with served(Place(), log=again) as service:
        run(service, tmp_path)
    assert digest(tmp_path / "raw") == undisturbed[0]
    assert len(images(again)) == undisturbed[1] - 3


FINAL = {
    "no units left": (Status(status=403, code="ACCESS_INSUFFICIENT_PROCESSING_UNITS"), "no processing units left"),
    "400": (Status(status=400, code="COMMON_BAD_PAYLOAD"), "refused with 400 .*COMMON_BAD_PAYLOAD"),
    "403": (Status(status=403), "refused with 403"),
    "404": (Status(status=404), "refused with 404"),
    "429 for an hour": (Status(status=429, retry_after="3600000"), r"asks to wait 3600 s, more than .*longest_wait_s"),
}


@pytest.mark.parametrize("fault", FINAL)
def test_a_refusal_is_asked_once_and_one_line_says_why_and_all_that_came_before_is_kept(tmp_path, fault):
    refusal, expected = FINAL[fault]
    rule = FaultRule(path="process", fault=refusal, after=3)
    told, log = disturbed(tmp_path, rule)
    assert re.search(expected, told), told
    assert "what has been fetched is kept" in told
    assert len(images(log)) == 4
    assert len(list((tmp_path / "store").glob("*.json"))) == 3
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(("workers", "fault"), [(1, "no units left"), (1, "503"), (3, "no units left")])
def test_tiles_that_came_before_the_end_are_kept_and_not_asked_for_again(tmp_path, undisturbed, workers, fault):
    tiled = SERIAL.model_copy(update={"tile_px": 32, "workers": workers})  # four requests an image
    rule = FaultRule(path="process", fault=FINAL[fault][0] if fault in FINAL else PASSING[fault], after=7)
    told, log = disturbed(tmp_path, rule, params=tiled)
    assert "what has been fetched is kept" in told
    good = [call for call in images(log) if call.status == 200]
    assert len(good) == 7
    assert len(list((tmp_path / "store").glob("*.tile"))) % 4 != 0
    again = []
    with served(Place(), log=again) as service:
        run(service, tmp_path, params=tiled)
    assert len(images(again)) == 4 * undisturbed[1] - 7
    assert not {call.key for call in images(again)} & {call.key for call in good}
    pixels = {name: value for name, value in undisturbed[0].items() if name != "manifest.json"}
    assert pixels.items() <= digest(tmp_path / "raw").items()  # small tiles cost more, and the manifest says so
    assert not list((tmp_path / "store").glob("*.tile"))


def test_with_many_workers_the_line_names_the_cause_and_not_its_consequences(tmp_path):
    rule = FaultRule(path="process", fault=FINAL["no units left"][0], after=2)
    told, log = disturbed(tmp_path, rule, params=PARAMS)
    assert "no processing units left" in told
    assert len(images(log)) <= 2 + PARAMS.workers


SOME = PARAMS.model_copy(update={"max_tries": 8})


@pytest.mark.parametrize("fault", [Corrupt(), Short(), Cut()])
def test_broken_answers_are_charged_and_counted_but_not_in_the_manifest(tmp_path, undisturbed, capsys, fault):
    log = []
    with served(Place(), log=log, faults=[FaultRule(path="process", fault=fault, calls=(2, 5))]) as service:
        images_of = ImageService(service, SOME, Limiter())
        run_with(images_of, tmp_path)
        settled(log, undisturbed[1] + 2)
    assert images_of.spent.units == pytest.approx(sum(call.units for call in images(log)), rel=1e-3)
    lost = sum(call.units for call in images(log) if call.fault)
    assert lost > 0
    assert images_of.spent.lost_units == pytest.approx(lost, rel=1e-3)
    assert f"({lost:.2f} PU of it for broken answers)" in capsys.readouterr().err.splitlines()[-1]
    assert digest(tmp_path / "raw") == undisturbed[0]


@pytest.mark.parametrize("fault", [Status(status=503), Status(status=429, retry_after="1"), Status(status=401)])
def test_errors_without_an_image_cost_nothing(tmp_path, fault):
    log = []
    with served(Place(), log=log, faults=[FaultRule(path="process", fault=fault, calls=(2, 5))]) as service:
        images_of = ImageService(service, SOME, Limiter())
        run_with(images_of, tmp_path)
    assert images_of.spent.lost_units == 0
    assert images_of.spent.units == pytest.approx(sum(call.units for call in images(log)), rel=1e-3)


def test_a_request_without_a_connection_was_never_sent_and_one_without_an_answer_was():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(requests.RequestException) as unanswered:
            requests.get(url, timeout=0.05)
    with pytest.raises(requests.RequestException) as refused:
        requests.get(url, timeout=5)
    assert not never_sent(DownloadFailedException("no answer", request_exception=unanswered.value))
    assert never_sent(DownloadFailedException("no connection", request_exception=refused.value))


@pytest.mark.parametrize("workers", [1, 3])
def test_broken_answers_never_pass_the_budget(tmp_path, workers):
    log = []
    with served(Place(), log=log) as service:
        run(service, tmp_path / "calm")
    budget = 1.4 * sum(call.units for call in images(log))
    params = PARAMS.model_copy(update={"budget_pu": budget, "max_tries": 20, "workers": workers})
    rule = FaultRule(path="process", fault=Corrupt(), after=4)
    told, log = disturbed(tmp_path, rule, params=params)
    assert re.search(r"of no use, .* would pass download.budget_pu \(.*what has been fetched is kept", told), told
    spent = sum(call.units for call in images(log))
    assert 0.8 * budget < spent <= budget + 1e-6


def test_a_service_that_refuses_every_token_ends_soon_and_says_so(tmp_path):
    rule = FaultRule(path="process", fault=Status(status=401))
    told, log = disturbed(tmp_path, rule, error=InputError)
    assert "refused although logged in anew" in told
    assert len(images(log)) == 4  # two tries, each with one new login


def test_wrong_credentials_are_one_line_that_says_which_settings_to_check(tmp_path):
    rule = FaultRule(path="token", fault=Status(status=401))
    told, log = disturbed(tmp_path, rule, error=InputError)
    assert "login refused" in told
    assert "check SH_CLIENT_ID and SH_CLIENT_SECRET" in told
    assert [call.path for call in log] == ["token"]


def test_a_withdrawn_token_costs_one_new_login_for_all_workers(tmp_path, undisturbed):
    log = []
    rule = FaultRule(path="process", fault=RevokeTokens(), calls=(4,))
    with served(Place(), log=log, faults=[rule]) as service:
        run(service, tmp_path)
    assert digest(tmp_path / "raw") == undisturbed[0]
    assert sum(call.path == "token" for call in log) == 2


def test_tokens_that_end_are_renewed_before_they_do(tmp_path, undisturbed):
    log = []
    with served(Place(), log=log, token_seconds=60.0) as service:
        run(service, tmp_path)
    assert digest(tmp_path / "raw") == undisturbed[0]
    assert not [call for call in log if call.status == 401]


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, requests.HTTPError), (503, requests.HTTPError), (429, requests.HTTPError), (401, InputError)],
)
def test_only_a_refusal_is_a_wrong_login_whatever_the_body_says(status, error):
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"error": "invalid_client", "error_description": "no"}')

        def log_message(self, *_):
            pass

    with served(Place()) as service, HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        ImageService(service, PARAMS, Limiter())  # lets the login library speak plain http
        with pytest.raises(error):
            Login(replace(service, token_url=f"http://127.0.0.1:{server.server_port}/token"), 5.0).token(refused=None)


def test_a_token_is_renewed_two_minutes_before_its_end_and_not_earlier():
    clock = Clock()
    with served(Place(), token_seconds=600.0) as service:
        login = Login(service, 20.0, clock)
        seen = []
        for clock.now in (0, 479, 481, 960, 962):
            seen.append(login.token(refused=None)["access_token"])
    assert [seen.index(token) for token in seen] == [0, 0, 2, 2, 4]
    assert set(seen) < set(login.secrets())  # the old ones too: a late answer may repeat them


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self):
        return self.now


class Waits(threading.Event):
    """Remembers how long it was waited for, and waits no longer."""

    def __init__(self):
        super().__init__()
        self.asked_s = []

    def wait(self, timeout=None):
        self.asked_s.append(timeout)
        return self.is_set()


def test_waits_between_tries_grow_threefold_up_to_the_longest(tmp_path):
    params = SERIAL.model_copy(update={"wait_s": 5.0, "max_tries": 8, "longest_wait_s": 300.0})
    waits = Waits()
    rule = FaultRule(path="process", fault=Status(status=503))
    with served(Place(), faults=[rule]) as service, pytest.raises(SkredError, match="after 8 tries"):
        run_with(ImageService(service, params, Limiter(), waits), tmp_path)
    assert len(waits.asked_s) == 7
    for number, wait_s in enumerate(waits.asked_s):
        assert min(5 * 3**number, 300) <= wait_s <= min(1.25 * 5 * 3**number, 300)
    assert waits.asked_s[-2:] == [300, 300]


def test_what_the_service_echoes_of_a_secret_is_not_repeated(tmp_path):
    with served(Place()) as service:
        secret = service.client_secret
    rule = FaultRule(path="process", fault=Status(status=400, message=f"who is {secret}?"))
    with served(Place(), faults=[rule]) as service, pytest.raises(SkredError) as caught:
        run(replace(service, client_secret=secret), tmp_path)
    assert secret not in str(caught.value)


def test_an_answer_429_holds_back_every_worker_for_as_long_as_it_asks(tmp_path):
    limiter = Recorder()
    rule = FaultRule(path="process", fault=Status(status=429, retry_after="5"), calls=(2,))
    with served(Place(), faults=[rule]) as service:
        run(service, tmp_path, limiter=limiter)
    assert limiter.pauses == [0.005]


class Recorder(Limiter):
    """Remembers what it was asked to wait."""

    def __init__(self):
        super().__init__()
        self.pauses = []

    def pause(self, seconds):
        self.pauses.append(seconds)
        super().pause(seconds)


def test_the_real_waits_of_a_rate_limit_are_kept(tmp_path):
    """The one slow test of this family: 429 with 700 milliseconds."""
    rule = FaultRule(path="process", fault=Status(status=429, retry_after="700"), calls=(1,))
    with served(Place(), faults=[rule]) as service:
        begun = time.monotonic()
        run(service, tmp_path)
    assert 0.7 <= time.monotonic() - begun < 10
    assert read_manifest(tmp_path / "raw").acquisitions
