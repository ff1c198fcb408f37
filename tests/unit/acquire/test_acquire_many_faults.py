"""Hundreds of requests while the service fails in every way: the pixels, the requests and the price stay right."""

from collections import Counter

from acquire_place import EVENT_DATA, PARAMS, Place, digest, images, many, run, served

from skred.core.events import Event
from skred.hub.faults import (
    BrokenChunk,
    Corrupt,
    Cut,
    Empty,
    FaultRule,
    Html,
    Reset,
    RevokeTokens,
    Short,
    Status,
)
from skred.manifest import read_manifest

SMALL = Event.model_validate(EVENT_DATA | {"area": EVENT_DATA["area"] | {"width_m": 320, "height_m": 320}})
TILE_PX = 16  # so that an image is four requests


# Shares of the calls of a path; a rule counts only for calls that the ones before it leave. Those after which the
# service has rendered, and so has charged, an image are rarer: the price may rise by 5 % only.
FREE = (
    Status(status=429, retry_after="1"),
    Status(status=429, retry_after="0.7"),
    Status(status=429),
    Status(status=500),
    Status(status=503),
    Status(status=401),
    RevokeTokens(),
    Reset(),
    Empty(),
    Html(),
)
CHARGED = (Cut(part=0.7), BrokenChunk(), Short(part=0.9), Corrupt(part=0.6, length=3), Corrupt(part=0.9))
RULES = (
    *(FaultRule(path="process", fault=fault, share=0.02, seed=n) for n, fault in enumerate(FREE)),
    *(FaultRule(path="process", fault=fault, share=0.008, seed=100 + n) for n, fault in enumerate(CHARGED)),
    FaultRule(path="catalog", fault=Status(status=502), share=0.1, seed=1),
    FaultRule(path="token", fault=Status(status=503), share=0.2, seed=1),
)


def test_500_downloads_under_a_mix_of_faults_give_the_same_pixels_and_ask_for_nothing_twice(tmp_path):
    params = PARAMS.model_copy(update={"max_tries": 8, "workers": 8, "page_items": 100, "tile_px": TILE_PX})
    calm, wild = [], []
    place = Place(grid=SMALL.area.grid, listed=many())
    with served(place, log=calm) as service:
        run(service, tmp_path / "calm", SMALL, params)
    with served(place, log=wild, faults=RULES) as service:
        run(service, tmp_path / "wild", SMALL, params)
    manifest = read_manifest(tmp_path / "wild/raw")
    assert len(images(calm)) == 4 * (len(manifest.acquisitions) + len(manifest.geometry) + 1) == 500

    assert digest(tmp_path / "wild/raw") == digest(tmp_path / "calm/raw")
    assert {call.fault for call in wild} >= {fault.kind for fault in (*FREE, *CHARGED)}
    disturbed = [call for call in images(wild) if call.fault or call.status != 200]
    assert len(disturbed) > 80
    good = Counter(call.key for call in images(wild) if call.status == 200 and not call.fault)
    assert set(good) == {call.key for call in images(calm)}
    assert set(good.values()) == {1}  # what came whole is never asked for again
    last = {call.key: call for call in images(wild)}
    assert all(call.fault is None for call in last.values())
    price, calm_price = (sum(call.units for call in log) for log in (wild, calm))
    assert calm_price <= price <= 1.05 * calm_price
