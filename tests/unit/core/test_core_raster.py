"""Rasters and folders on disk: what goes in comes out, whole or not at all, with the same bytes."""

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from rio_cogeo.cogeo import cog_validate

from skred.core.errors import InputError, SkredError
from skred.core.grid import Grid, Window
from skred.core.raster import Raster, atomic, atomic_folder, read_grid, read_raster, write_cog
from skred.core.scenes import QUALITY_LAYERS, SceneFolder

PLACE = Grid("EPSG:32632", 300_000.0, 6_800_000.0, 10.0, 30, 20)


def raster(**changed):
    array = np.arange(2 * 20 * 30, dtype=np.float32).reshape(2, 20, 30)
    array[0, 0, 0] = np.nan
    content = {
        "array": array,
        "grid": PLACE,
        "names": ("dndvi", "post_vv"),
        "units": ("1", "dB"),
        "nodata": float("nan"),
        "tags": {"simulated": "yes"},
    }
    return Raster(**{**content, **changed})


def test_names_units_nodata_tags_and_place_come_back(tmp_path):
    write_cog(tmp_path / "a.tif", raster())
    back = read_raster(tmp_path / "a.tif")
    np.testing.assert_array_equal(back.array, raster().array)
    assert (back.grid, back.names, back.units) == (PLACE, ("dndvi", "post_vv"), ("1", "dB"))
    assert np.isnan(back.nodata)
    assert back.tags["simulated"] == "yes"
    assert read_grid(tmp_path / "a.tif") == PLACE


@settings(max_examples=15)
@given(
    arrays(
        st.sampled_from([np.uint8, np.uint16, np.float32]),
        array_shapes(min_dims=3, max_dims=3, max_side=40),
        elements=st.integers(0, 255),
    )
)
def test_pixels_of_any_type_and_size_come_back(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("r") / "a.tif"
    names = tuple(f"b{i}" for i in range(len(array)))
    write_cog(path, Raster(array, Grid(None, 0, 0, 1, array.shape[2], array.shape[1]), names))
    back = read_raster(path)
    assert back.array.dtype == array.dtype
    np.testing.assert_array_equal(back.array, array)
    assert back.grid.crs is None


def test_it_is_a_valid_cog_with_overviews(tmp_path):
    grid = Grid("EPSG:32632", 0.0, 0.0, 10.0, 1100, 700)
    write_cog(tmp_path / "a.tif", Raster(np.zeros((1, 700, 1100), np.float32), grid, ("p",)))
    valid, errors, _ = cog_validate(tmp_path / "a.tif")
    assert valid, errors
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert dataset.overviews(1)


def test_the_same_raster_has_the_same_bytes(tmp_path):
    for name in ("a.tif", "b.tif"):
        write_cog(tmp_path / name, raster())
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_bands_come_in_the_order_asked_for_and_windows_in_place(tmp_path):
    write_cog(tmp_path / "a.tif", raster())
    part = read_raster(tmp_path / "a.tif", bands=["post_vv", "dndvi"], window=Window(3, 4, 5, 6))
    np.testing.assert_array_equal(part.array, raster().array[::-1, 3:8, 4:10])
    assert part.grid == PLACE.crop(Window(3, 4, 5, 6))
    np.testing.assert_array_equal(part.band("post_vv"), raster().array[1, 3:8, 4:10])


def test_a_band_that_is_not_there_is_named(tmp_path):
    write_cog(tmp_path / "a.tif", raster())
    with pytest.raises(SkredError, match=r"a\.tif: has no band slope; it has dndvi, post_vv"):
        read_raster(tmp_path / "a.tif", bands=["slope"])


@pytest.mark.parametrize("content", [None, b"", b"II*\x00 broken"])
def test_a_missing_or_broken_file_is_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(SkredError, match=r"a\.tif: cannot be read") as caught:
        read_raster(tmp_path / "a.tif")
    assert "\n" not in str(caught.value)


def test_pixels_that_are_not_north_up_are_refused(tmp_path):
    profile = {"driver": "GTiff", "count": 1, "height": 4, "width": 4, "dtype": "uint8", "crs": "EPSG:32632"}
    with rasterio.open(tmp_path / "a.tif", "w", transform=rasterio.Affine(10, 0, 0, 0, -20, 0), **profile) as dataset:
        dataset.write(np.zeros((1, 4, 4), np.uint8))
    with pytest.raises(SkredError, match="not square and north-up"):
        read_raster(tmp_path / "a.tif")


@pytest.mark.parametrize("changed", [{"names": ("one",)}, {"units": ("1",)}, {"grid": PLACE.crop(Window(0, 0, 3, 3))}])
def test_what_does_not_fit_together_is_not_written(tmp_path, changed):
    with pytest.raises(ValueError, match=r"names|grid"):
        write_cog(tmp_path / "a.tif", raster(**changed))
    assert list(tmp_path.iterdir()) == []


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), atomic(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with atomic(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
        assert not (tmp_path / "a.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(RuntimeError), atomic_folder(out) as building:
        (building / "half").write_text("")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    out.mkdir()  # an empty one is nobody's
    with atomic_folder(out) as building:
        (building / "new").write_text("")
        assert list(out.iterdir()) == []
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "new"]


@pytest.mark.parametrize("is_file", [True, False])
def test_what_is_there_already_is_not_replaced(tmp_path, is_file):
    out = tmp_path / "out"
    mine = out if is_file else out / "mine"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("irreplaceable")
    with pytest.raises(InputError, match="out: is there already"), atomic_folder(out):
        pass
    assert mine.read_text() == "irreplaceable"
    assert not list(tmp_path.glob(".*"))


def test_what_a_killed_run_left_does_not_get_into_the_next(tmp_path):
    (tmp_path / ".out.part").mkdir()
    (tmp_path / ".out.part" / "left").write_text("")
    with atomic_folder(tmp_path / "out"):
        pass
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_of_scenes_comes_back(make_scenes, tmp_path):
    labels = np.zeros((20, 30), np.uint8)
    labels[2:4, 2:4], labels[9, 9] = 1, 255
    values = np.random.default_rng(0).normal(size=(2, 20, 30)).astype(np.float32)
    values[1, 5, 5] = np.nan
    quality = np.arange(7 * 600).reshape(7, 20, 30).astype(np.uint8)
    folder = make_scenes(
        tmp_path / "f", {"s": labels}, values={"s": values}, quality={"s": quality}, simulated=True, role="unseen"
    )
    np.testing.assert_array_equal(folder.labels("s"), labels)
    np.testing.assert_array_equal(folder.bands("s", ["post_vv"])[0], values[1])
    for i, layer in enumerate(QUALITY_LAYERS):
        np.testing.assert_array_equal(folder.quality("s", layer), quality[i])
    assert folder.grid("s") == Grid("EPSG:32632", 300_000.0, 6_800_000.0, 10.0, 30, 20)
    assert (folder.index.simulated, folder.index.role, folder.names) == (True, "unseen", ("s",))
    for name in ("s", "s.quality", "s.labels"):
        assert read_raster(tmp_path / "f" / f"{name}.tif").tags["simulated"] == "yes"


def test_a_folder_without_its_index_is_no_folder_of_scenes(tmp_path):
    with pytest.raises(InputError, match="is no folder of scenes"):
        SceneFolder.open(tmp_path)
