"""A download through the real client from the offline service: complete, resumable, and the same every time."""

import datetime as dt
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from acquire_place import EVENT, GRID, ITEMS, PARAMS, Place, digest, optical, run, served

from skred.coding import decode_power
from skred.core.errors import InputError, SkredError
from skred.core.raster import read_raster
from skred.hub.items import S1
from skred.hub.server import Answer, Hub
from skred.manifest import read_manifest


class Faults:
    """Answers put in place of the service's, one for each call of a path, until they are used up."""

    def __init__(self, monkeypatch):
        self.calls = Counter()
        self.planned = {}
        true_answer = Hub.answer

        def answer(hub, method, path, headers, body):
            self.calls[path] += 1
            planned = self.planned.get(path)
            if planned:
                changed = planned.pop(0)
                if isinstance(changed, Answer):
                    return changed
                return changed(true_answer(hub, method, path, headers, body))
            return true_answer(hub, method, path, headers, body)

        monkeypatch.setattr(Hub, "answer", answer)

    def process(self, *answers):
        self.planned["/api/v1/process"] = list(answers)


@pytest.fixture
def faults(monkeypatch):
    return Faults(monkeypatch)


def refusal(status, code="CODE", headers=()):
    error = {"status": status, "code": code, "message": f"{code} told"}
    return Answer(status, json.dumps({"error": error}).encode(), headers=tuple(headers))


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


def test_a_second_download_asks_for_no_image_and_gives_the_same_bytes(tmp_path, faults):
    with served(Place()) as service:
        run(service, tmp_path)
        first, asked = digest(tmp_path / "raw"), faults.calls["/api/v1/process"]
        run(service, tmp_path)
    assert faults.calls["/api/v1/process"] == asked
    assert digest(tmp_path / "raw") == first


def test_the_number_of_workers_and_the_size_of_tiles_change_no_byte(tmp_path):
    with served(Place()) as service:
        run(service, tmp_path)
        other = PARAMS.model_copy(update={"workers": 1, "tile_px": 40, "page_items": 100})
        run(service, tmp_path / "other", params=other)
    assert digest(tmp_path / "raw") == digest(tmp_path / "other" / "raw")


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


def test_after_a_failure_what_was_fetched_is_kept(tmp_path, faults):
    serial = PARAMS.model_copy(update={"workers": 1})
    place = Place()
    with served(place) as service:
        faults.process(*[lambda answer: answer] * 3, refusal(403, "ACCESS_INSUFFICIENT_PROCESSING_UNITS"))
        with pytest.raises(SkredError, match="no processing units left"):
            run(service, tmp_path, params=serial)
        assert faults.calls["/api/v1/process"] == 4
        assert len(list((tmp_path / "store").glob("*.json"))) == 3
        assert not (tmp_path / "raw").exists()
        before = dict(place.reads)
        run(service, tmp_path, params=serial)
        run(service, tmp_path / "undisturbed")
    assert digest(tmp_path / "raw") == digest(tmp_path / "undisturbed" / "raw")
    assert len(before) >= 3


def change_body(change):
    return lambda answer: replace(answer, body=change(answer.body))


BROKEN = {
    "empty": change_body(lambda body: b""),
    "HTML": change_body(lambda body: b"<html>busy</html>"),
    "cut in half": change_body(lambda body: body[: len(body) // 2]),
    "another image": lambda answer: answer if answer.status != 200 else replace(answer, body=_tiny_tiff()),
    "a server error": refusal(503),
    "a rate limit in milliseconds": refusal(429, headers=[("Retry-After", "5")]),
    "a rate limit as a date": refusal(429, headers=[("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")]),
}


def _tiny_tiff():
    from rasterio.io import MemoryFile  # noqa: PLC0415

    with MemoryFile() as memory:
        profile = {"driver": "GTiff", "width": 4, "height": 4, "count": 2, "dtype": "uint16", "crs": GRID.crs}
        with memory.open(**profile, transform=GRID.transform) as dataset:
            dataset.write(np.ones((2, 4, 4), np.uint16))
        return bytes(memory.getbuffer())


@pytest.mark.parametrize("fault", BROKEN, ids=str)
def test_a_passing_fault_costs_one_more_try_and_changes_no_byte(tmp_path, faults, fault):
    with served(Place()) as service:
        faults.process(BROKEN[fault])
        run(service, tmp_path)
        with_fault = faults.calls["/api/v1/process"]
        run(service, tmp_path / "undisturbed")
        assert with_fault == faults.calls["/api/v1/process"] - with_fault + 1
    assert digest(tmp_path / "raw") == digest(tmp_path / "undisturbed" / "raw")


@pytest.mark.parametrize("fault", ["empty", "cut in half", "a server error", "a rate limit in milliseconds"])
def test_a_lasting_fault_ends_after_the_tries_with_one_line_and_nothing_in_the_store(tmp_path, faults, fault):
    serial = PARAMS.model_copy(update={"workers": 1})
    with served(Place()) as service:
        faults.process(*[BROKEN[fault]] * 99)
        with pytest.raises(SkredError) as caught:
            run(service, tmp_path, params=serial)
    assert faults.calls["/api/v1/process"] == PARAMS.max_tries
    assert "\n" not in str(caught.value)
    assert "run the download again" in str(caught.value)
    assert not list((tmp_path / "store").glob("*"))


def test_a_refused_request_is_asked_once_and_the_line_says_why(tmp_path, faults):
    serial = PARAMS.model_copy(update={"workers": 1})
    with served(Place()) as service:
        faults.process(refusal(400, "COMMON_BAD_PAYLOAD"))
        with pytest.raises(SkredError, match=r"refused with 400: .*COMMON_BAD_PAYLOAD told"):
            run(service, tmp_path, params=serial)
    assert faults.calls["/api/v1/process"] == 1


def test_a_withdrawn_token_costs_one_new_login(tmp_path, faults):
    with served(Place()) as service:
        faults.process(refusal(401))
        run(service, tmp_path)
    assert faults.calls["/token"] == 2
    assert read_manifest(tmp_path / "raw").acquisitions


def test_a_service_that_refuses_every_token_ends_after_two_logins(tmp_path, faults):
    serial = PARAMS.model_copy(update={"workers": 1})
    with served(Place()) as service:
        faults.process(*[refusal(401)] * 9)
        with pytest.raises(InputError, match="refused although logged in anew"):
            run(service, tmp_path, params=serial)
    assert faults.calls["/token"] == 2


def test_a_wrong_secret_is_one_line_without_the_secret(tmp_path):
    with served(Place()) as service, pytest.raises(InputError, match="check SH_CLIENT_ID") as caught:
        run(replace(service, client_secret="not-the-secret"), tmp_path)
    assert "not-the-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_secret_is_in_no_file(tmp_path, capsys):
    with served(Place()) as service:
        run(service, tmp_path)
        files = [p for p in tmp_path.rglob("*") if p.is_file()]
        assert files
        assert not [p for p in files if service.client_secret.encode() in p.read_bytes()]
        assert service.client_secret not in "".join(capsys.readouterr())


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


def test_a_window_without_images_of_a_sensor_names_the_window(tmp_path):
    only_radar = tuple(one for one in ITEMS if one.collection == S1)
    with served(Place(listed=only_radar)) as service, pytest.raises(InputError, match="no S2 image of the area from"):
        run(service, tmp_path)
