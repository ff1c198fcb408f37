"""Fetched pixels are kept, whole or not at all."""

import os

import numpy as np
import pytest

from skred.acquire.store import Store, Tile, store_key
from skred.core.errors import SkredError
from skred.core.grid import Grid, Window
from skred.core.raster import Raster, read_raster

KEY = "ab" * 32
GRID = Grid("EPSG:32632", 400_000.0, 6_800_000.0, 10.0, 8, 6)


def raster(value=7):
    return Raster(np.full((1, 6, 8), value, np.uint16), GRID, ("VV",), (), 0, {"platform": "S1A"})


def put(store, value=7, simulated=False):
    return store.put(KEY, raster(value), simulated=simulated, valid_share=1.0, units=0.25)


def test_what_was_put_is_found_again(tmp_path):
    store = Store(tmp_path)
    assert store.get(KEY, simulated=False) is None
    record = put(store)
    assert store.get(KEY, simulated=False) == record
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{KEY}.json", f"{KEY}.tif"]


def test_an_image_that_is_not_the_one_that_was_written_does_not_count(tmp_path):
    store = Store(tmp_path)
    put(store)
    content = bytearray(store.path(KEY).read_bytes())
    content[-1] ^= 1
    store.path(KEY).write_bytes(content)
    assert store.get(KEY, simulated=False) is None


@pytest.mark.parametrize("lost", [f"{KEY}.json", f"{KEY}.tif"])
def test_half_an_entry_does_not_count(tmp_path, lost):
    store = Store(tmp_path)
    put(store)
    (tmp_path / lost).unlink()
    assert store.get(KEY, simulated=False) is None


@pytest.mark.parametrize("record", ["", "{", "[]", '{"sha256": 1}', "\xff"])
def test_a_broken_record_does_not_count(tmp_path, record):
    store = Store(tmp_path)
    put(store)
    (tmp_path / f"{KEY}.json").write_bytes(record.encode("latin-1"))
    assert store.get(KEY, simulated=False) is None


def test_simulated_pixels_carry_the_mark_and_are_never_taken_for_real_ones(tmp_path):
    store = Store(tmp_path)
    put(store, simulated=True)
    assert read_raster(store.path(KEY)).tags["simulated"] == "yes"
    with pytest.raises(SkredError, match="simulated pixels under the key of real ones"):
        store.get(KEY, simulated=False)


def test_real_pixels_carry_no_mark(tmp_path):
    store = Store(tmp_path)
    put(store)
    assert "simulated" not in read_raster(store.path(KEY)).tags


def test_the_key_knows_the_service_the_items_their_versions_and_the_script():
    def key(script="s", item="a", version="1", service="real"):
        return store_key({"evalscript": script}, [[item, version]], service)

    keys = {key(), key(script="t"), key(item="b"), key(version="2"), key(service="offline world 1")}
    assert len(keys) == 5
    assert key() == key()


def test_half_written_files_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path):
    dead, alive = tmp_path / f".{KEY}.tif.99999999.part", tmp_path / f".{KEY}.json.{os.getpid()}.part"
    other = tmp_path / "notes.txt"
    for file in (dead, alive, other):
        file.write_text("x")
    Store(tmp_path).sweep()
    assert sorted(tmp_path.iterdir()) == sorted([alive, other])


WINDOW = Window(2, 4, 4, 4)
PIXELS = np.arange(16, dtype=np.uint16).reshape(1, 4, 4)


def get_tile(store, window=WINDOW, simulated=False):
    return store.get_tile(KEY, window, PIXELS.shape, "uint16", simulated=simulated)


def test_a_tile_is_kept_until_its_image_is_there(tmp_path):
    store = Store(tmp_path)
    assert get_tile(store) is None
    store.put_tile(KEY, WINDOW, Tile(PIXELS, 0.25), simulated=False)
    tile = get_tile(store)
    np.testing.assert_array_equal(tile.array, PIXELS)
    assert tile.units == 0.25
    assert get_tile(store, Window(2, 0, 4, 4)) is None
    assert get_tile(store, simulated=True) is None
    store.sweep()
    assert get_tile(store) is not None
    put(store)
    assert get_tile(store) is None


def test_a_tile_that_is_not_the_one_that_was_written_does_not_count(tmp_path):
    store = Store(tmp_path)
    store.put_tile(KEY, WINDOW, Tile(PIXELS, 0.25), simulated=False)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for broken in (whole[:-1], whole[:-1] + b"x", whole[:20], b"", b"\xff" + whole):
        file.write_bytes(broken)
        assert get_tile(store) is None


def test_a_tile_of_an_image_that_is_there_goes_with_the_sweep(tmp_path):
    store = Store(tmp_path)
    put(store)
    store.put_tile(KEY, WINDOW, Tile(PIXELS, 0.25), simulated=False)  # a kill came between the two
    store.sweep()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{KEY}.json", f"{KEY}.tif"]


def test_a_store_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "store").write_text("a file where a folder should be")
    with pytest.raises(SkredError, match="cannot be written"):
        put(Store(tmp_path / "store"))


def test_a_link_has_the_same_bytes(tmp_path):
    store = Store(tmp_path / "store")
    put(store)
    store.link(KEY, tmp_path / "raw" / "s1.tif")
    assert (tmp_path / "raw" / "s1.tif").read_bytes() == store.path(KEY).read_bytes()
