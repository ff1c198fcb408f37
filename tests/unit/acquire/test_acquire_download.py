"""A download through the real client from the offline service: complete, resumable, and the same every time."""

import base64
import datetime as dt
import logging
from dataclasses import replace

import numpy as np
import pytest
from acquire_place import EVENT, GRID, ITEMS, PARAMS, Place, digest, images, optical, radar, run, run_with, served
from shapely import wkt

from skred.acquire.client import ImageService
from skred.acquire.limiter import Limiter
from skred.acquire.login import Login
from skred.acquire.plan import make_plan
from skred.acquire.store import Store
from skred.coding import decode_power
from skred.core.errors import InputError, SkredError
from skred.core.raster import read_raster
from skred.hub.faults import FaultRule, Html, Reset, RevokeTokens, Status
from skred.hub.items import S1
from skred.manifest import read_manifest

SERIAL = PARAMS.model_copy(update={"workers": 1})


def test_the_folder_holds_exactly_what_the_manifest_names(tmp_path):
    with served(Place()) as service:
        run(service, tmp_path)
    manifest = read_manifest(tmp_path / "raw")
    assert manifest.simulated
    assert manifest.service == "offline"
    named = [a.file for a in manifest.acquisitions] + [g.file for g in manifest.geometry]
    named += [manifest.dem.file, manifest.inventory.file, "manifest.json"]
    assert sorted(named) == sorted(p.name for p in (tmp_path / "raw").iterdir())
    assert [(a.sensor, a.id, a.window) for a in manifest.acquisitions] == [
        ("S1", "S1A_d", "pre"),
        ("S1", "S1A_a", "pre"),
        ("S1", "S1A_e", "post"),
        ("S1", "S1B_f", "post"),
        ("S2", "S2A_a_R051_T32VLP_x+S2A_b_R051_T32VLQ_x", "pre"),
        ("S2", "S2B_new_R094_T32VLP_x", "post"),
    ]
    assert [(g.orbit_direction, g.relative_orbit) for g in manifest.geometry] == [
        ("ascending", 44),
        ("descending", 139),
    ]


def test_pixels_arrive_as_they_are(tmp_path):
    place = Place()
    with served(place) as service:
        manifest = run(service, tmp_path)
    radar_file = read_raster(tmp_path / "raw" / manifest.acquisitions[0].file)
    true = place.read(S1, ITEMS[1], ("VV", "VH"), GRID.whole)
    np.testing.assert_allclose(decode_power(radar_file.band("VV")), true["VV"], rtol=2e-4)
    assert radar_file.tags["orbit_direction"] == "descending"
    assert radar_file.tags["relative_orbit"] == "139"
    assert radar_file.tags["time"] == "2019-07-03T05:55:00Z"
    dem = read_raster(tmp_path / "raw" / "dem.tif")
    np.testing.assert_array_equal(dem.array[0], place.read("dem", None, ("DEM",), GRID.whole)["DEM"])
    assert dem.grid == GRID


def test_every_image_of_a_simulated_download_carries_the_mark(tmp_path):
    with served(Place()) as service:
        run(service, tmp_path)
    marks = {read_raster(p).tags.get("simulated") for p in (tmp_path / "raw").glob("*.tif")}
    assert marks == {"yes"}


def test_a_second_download_asks_for_no_image_and_gives_the_same_bytes(tmp_path):
    log = []
    with served(Place(), log=log) as service:
        run(service, tmp_path)
        first, asked = digest(tmp_path / "raw"), len(images(log))
        run(service, tmp_path)
    assert len(images(log)) == asked
    assert digest(tmp_path / "raw") == first


def test_the_manifest_says_what_each_image_is_and_what_it_cost(tmp_path):
    log = []
    with served(Place(), log=log) as service:
        run(service, tmp_path)
    manifest = read_manifest(tmp_path / "raw")
    entries = [*manifest.acquisitions, *manifest.geometry, manifest.dem]
    assert {entry.spent_pu for entry in entries} <= {round(call.units, 6) for call in images(log)}
    empty = sum(call.units for call in images(log)) - sum(entry.spent_pu for entry in entries)
    assert empty == pytest.approx(manifest.acquisitions[0].spent_pu, rel=1e-3)  # of the pass without data
    hashes = {call.key for call in images(log)}
    assert len({entry.request_sha256 for entry in entries}) == len(entries) == len(hashes) - 1
    assert len({entry.evalscript_sha256 for entry in entries}) == 4
    outline = wkt.loads(manifest.acquisitions[-1].footprint_wkt)
    assert outline.bounds == pytest.approx(GRID.bounds_lonlat(), abs=1e-5)


def test_the_manifest_names_what_is_left_out_and_why(tmp_path, capsys):
    with served(Place()) as service:
        run(service, tmp_path)
    left_out = read_manifest(tmp_path / "raw").left_out
    assert [(one.id, one.reason, one.instead) for one in left_out] == [
        ("S1B_empty", "no data", None),
        ("S2B_old_R094_T32VLP_x", "older version", "S2B_new_R094_T32VLP_x"),
        ("S2B_white_R094_T32VLP_x", "too cloudy", None),
    ]
    told = capsys.readouterr().err
    assert "holds 6 acquisitions (left out: 1 no data, 1 older version, 1 too cloudy)" in told


def test_the_number_of_workers_and_the_size_of_tiles_change_no_byte_of_a_pixel(tmp_path):
    with served(Place()) as service:
        run(service, tmp_path)
        other = PARAMS.model_copy(update={"workers": 1, "tile_px": 40, "page_items": 100})
        run(service, tmp_path / "other", params=other)
    whole, tiled = digest(tmp_path / "raw"), digest(tmp_path / "other" / "raw")
    assert whole.pop("manifest.json") != tiled.pop("manifest.json")  # small tiles cost more, and it says so
    assert whole == tiled
    assert {name[:2] for name in whole} == {"s1", "s2", "vi", "de", "in"}


def test_a_narrowed_window_leaves_no_stale_file_and_a_widened_one_asks_only_for_what_is_new(tmp_path):
    narrow = EVENT.model_copy(update={"post": EVENT.post.model_copy(update={"first": dt.date(2019, 8, 9)})})
    items = (*ITEMS, optical("S2A_z_R051_T32VLP_x", "2019-08-20T10:50:31Z"))
    place = Place(listed=items)
    with served(place) as service:
        run(service, tmp_path, narrow)
        before = dict(place.reads)
        assert "S1A_e" not in before
        wide = run(service, tmp_path)
        assert {name for name in place.reads if place.reads[name] != before.get(name)} == {
            "S1A_e",
            "S2B_new_R094_T32VLP_x",
        }
        again = run(service, tmp_path, narrow)
    gone = {a.file for a in wide.acquisitions} - {a.file for a in again.acquisitions}
    assert gone
    assert not gone & {p.name for p in (tmp_path / "raw").iterdir()}


def test_neither_secret_nor_token_is_in_any_file_or_line(tmp_path, capsys, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    tokens = []
    true_token = Login.token

    def token(login, refused):
        tokens.append(true_token(login, refused)["access_token"])
        return true_token(login, refused)

    monkeypatch.setattr(Login, "token", token)
    rules = [
        FaultRule(path="process", fault=Status(status=429, retry_after="0.7"), calls=(1,)),
        FaultRule(path="process", fault=RevokeTokens(), calls=(3,)),
        FaultRule(path="process", fault=Html(), calls=(5,)),
        FaultRule(path="token", fault=Status(status=503), calls=(1,)),
    ]
    with served(Place(), faults=rules) as service:
        run(service, tmp_path)
        broken = FaultRule(path="process", fault=Reset())
        with served(Place(), faults=[broken]) as dead, pytest.raises(SkredError) as caught:
            run(replace(dead, identity="another"), tmp_path, out="never")
        login = f"{service.client_id}:{service.client_secret}".encode()
        secrets = {service.client_secret, dead.client_secret, base64.b64encode(login).decode(), *tokens}
    assert len(set(tokens)) >= 3
    told = "".join(capsys.readouterr()) + caplog.text + str(caught.value)
    files = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert told and files
    assert [secret for secret in secrets if secret in told] == []
    assert [p for p, content in files.items() for secret in secrets if secret.encode() in content] == []


def test_a_planted_image_in_the_store_is_fetched_again(tmp_path):
    with served(Place()) as service:
        manifest = run(service, tmp_path)
        good = digest(tmp_path / "raw")
        key = manifest.acquisitions[0].key
        planted = tmp_path / "store" / f"{key}.tif"
        content = planted.read_bytes()
        planted.unlink()
        planted.write_bytes(content[:-10])
        run(service, tmp_path)
    assert digest(tmp_path / "raw") == good


def test_simulated_pixels_from_a_service_taken_for_real_are_refused(tmp_path):
    with served(Place()) as service, pytest.raises(SkredError, match="wanted real pixels"):
        run(replace(service, simulated=False), tmp_path)
    with served(Place(simulated=False)) as service, pytest.raises(SkredError, match="wanted simulated pixels"):
        run(service, tmp_path)


def test_real_and_simulated_images_have_different_keys(tmp_path):
    with served(Place()) as service:
        simulated = run(service, tmp_path)
    with served(Place(simulated=False)) as service:
        real = run(replace(service, simulated=False, identity="sentinelhub x"), tmp_path, out="real")
    keys = [{a.key for a in m.acquisitions} | {m.dem.key} for m in (simulated, real)]
    assert not keys[0] & keys[1]


def test_a_window_without_images_of_a_sensor_names_the_window_before_anything_is_paid(tmp_path):
    only_radar = tuple(one for one in ITEMS if one.collection == S1)
    log = []
    with served(Place(listed=only_radar), log=log) as service:
        images_of = ImageService(service, PARAMS, Limiter())
        for impossible in (run_with, lambda asked, folder: make_plan(EVENT, asked, PARAMS, Store(folder / "store"))):
            with pytest.raises(InputError, match="no S2 image of the area from"):
                impossible(images_of, tmp_path)
    assert {call.path for call in log} == {"token", "catalog"}


def test_a_window_whose_images_show_nothing_of_the_area_names_the_window_too(tmp_path):
    empty = tuple(one for one in ITEMS if one.collection != S1 or one.time.month == 7 or "empty" in one.id)
    with served(Place(listed=empty)) as service, pytest.raises(InputError, match=r"no S1 image of .* from 2019-07-31"):
        run(service, tmp_path)


def test_the_last_second_of_a_window_belongs_to_it(tmp_path):
    last = radar("S1A_late", "2019-07-29T23:59:59.500000Z", "ascending", 44)
    next_day = radar("S1A_next", "2019-07-30T00:00:00Z", "descending", 139)
    with served(Place(listed=(*ITEMS, last, next_day))) as service:
        found = {one.id for one in run(service, tmp_path).acquisitions}
    assert "S1A_late" in found
    assert "S1A_next" not in found


class Overtaken(Place):
    """While its first image is made, another download of the same event runs from beginning to end."""

    def read(self, collection, found, bands, window):
        if not self.reads:
            self.reads["begun"] += 1
            run(self.service, self.folder, params=SERIAL, out="other")
        return super().read(collection, found, bands, window)


def test_of_two_downloads_at_once_the_later_one_asks_for_nothing_that_the_other_has_put(tmp_path, capsys):
    place, log = Overtaken(), []
    with served(place, log=log) as service:
        place.service, place.folder = service, tmp_path
        run(service, tmp_path, params=SERIAL)
    assert len(images(log)) == 10 + 1  # the one on its way when the other began
    assert digest(tmp_path / "raw") == digest(tmp_path / "other")
    assert "fetched 1 images, 9 were kept from before" in capsys.readouterr().err.splitlines()[-1]
