"""A folder of images becomes a folder of scenes: whatever its layout, or an error that names the file."""

import warnings

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.errors import NotGeoreferencedWarning

from skred.core.errors import InputError, SkredError
from skred.core.grid import Grid
from skred.core.raster import read_raster
from skred.core.scenes import QUALITY_LAYERS, SceneFolder
from skred.importing import import_scenes

BAND = {"image": "rgb", "meaning": "m", "unit": "1", "sensor": "optical", "clip": [0, 1]}
TABLE = {
    "name": "set",
    "title": "A set",
    "positive": "landslide",
    "images": {"rgb": "images/{id}.png"},
    "mask": "masks/{id}.png",
    "bands": {"red": {**BAND, "channel": 1, "scale": 0.1}, "nir": {**BAND, "channel": 2, "scale": 0.1}},
    "derived": {
        "ndvi": {"normalised_difference": ["nir", "red"], **{k: v for k, v in BAND.items() if k != "image"}},
        "gain": {"difference": ["nir", "red"], **{k: v for k, v in BAND.items() if k != "image"}},
    },
}
RED = np.array([[0, 10, 20], [30, 40, 50]], np.uint8)
NIR = np.array([[0, 30, 20], [10, 0, 250]], np.uint8)
MASK = np.array([[0, 1, 0], [1, 0, 0]], np.uint8)


def write(path, array, **profile):
    array = np.atleast_3d(array.T).T if array.ndim == 2 else array
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "driver": "PNG" if path.suffix == ".png" else "GTiff",
        "count": len(array),
        "height": array.shape[1],
        "width": array.shape[2],
        "dtype": array.dtype.name,
        **profile,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **options) as dataset:
            dataset.write(array)


def image(folder, name, mask=MASK):
    write(folder / "images" / f"{name}.png", np.stack([RED, NIR, RED]))
    if mask is not None:
        write(folder / "masks" / f"{name}.png", mask)


@pytest.fixture
def table(tmp_path):
    def make(**changed):
        file = tmp_path / "bands.yaml"
        file.write_text(yaml.safe_dump({**TABLE, **changed}))
        return file

    return make


@pytest.fixture
def source(tmp_path):
    return tmp_path / "source"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "data" / "out"


def test_split_folders_become_splits_and_can_be_renamed(table, source, out):
    for name in ("train/b", "train/a", "val/a"):
        image(source / name.split("/")[0], name.split("/")[1])
    index = import_scenes(table(splits={"val": "test"}), source, out)
    assert {scene.name: scene.split for scene in index.scenes} == {
        "train-a": "train",
        "train-b": "train",
        "val-a": "test",
    }
    assert [scene.name for scene in index.scenes] == ["train-a", "train-b", "val-a"]
    assert SceneFolder.open(out).index == index
    assert (index.event, index.role, index.simulated, index.about["positive"]) == ("set", None, False, "landslide")


def test_without_split_folders_scenes_have_no_split(table, source, out):
    image(source, "one")
    image(source, "two")
    index = import_scenes(table(), source, out)
    assert {scene.name: scene.split for scene in index.scenes} == {"one": None, "two": None}


def test_bands_are_scaled_and_derived_and_0_by_0_is_unknown(table, source, out):
    image(source, "s")
    import_scenes(table(), source, out)
    red, nir, ndvi, gain = SceneFolder.open(out).bands("s", ["red", "nir", "ndvi", "gain"])
    np.testing.assert_allclose(red, RED * 0.1, rtol=1e-6)
    total = RED.astype(float) + NIR
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(ndvi, (NIR.astype(float) - RED) / total, rtol=1e-5)
    assert np.isnan(ndvi).tolist() == (total == 0).tolist()
    np.testing.assert_allclose(gain, (NIR.astype(float) - RED) * 0.1, rtol=1e-5, atol=1e-6)
    assert np.isfinite(nir).all()


def test_a_stored_nodata_value_is_unknown_in_its_band_and_all_that_follows_from_it(table, source, out):
    image(source, "s")
    bands = {"red": {**TABLE["bands"]["red"], "nodata": 40}, "nir": TABLE["bands"]["nir"]}
    import_scenes(table(bands=bands), source, out)
    folder = SceneFolder.open(out)
    for values in folder.bands("s", ["red", "ndvi", "gain"]):
        assert np.isnan(values[1, 1])
    assert np.isfinite(folder.bands("s", ["nir"])).all()
    assert folder.quality("s", "observable_optical")[1, 1] == 0


def test_a_mask_of_one_bit_holds_ones_and_a_mask_of_255_means_the_same(table, source, out):
    image(source, "bit", mask=None)
    write(source / "masks" / "bit.png", MASK, nbits=1)
    image(source, "byte", mask=MASK * 255)
    with rasterio.open(source / "masks" / "bit.png") as dataset:
        assert dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS") == "1"
    import_scenes(table(), source, out)
    folder = SceneFolder.open(out)
    for scene in ("bit", "byte"):
        np.testing.assert_array_equal(folder.labels(scene), MASK)


def test_without_any_mask_labels_are_unknown_and_it_says_so(table, source, out, capsys):
    image(source, "s", mask=None)
    import_scenes(table(), source, out)
    assert (SceneFolder.open(out).labels("s") == 255).all()
    assert "no masks found (masks/{id}.png); all labels are unknown" in capsys.readouterr().err


def test_a_table_without_masks_asks_for_none(table, source, out, capsys):
    image(source, "s")
    import_scenes(table(mask=None), source, out)
    assert (SceneFolder.open(out).labels("s") == 255).all()
    assert capsys.readouterr().err == ""


def test_a_geotiff_keeps_its_place(table, source, out):
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 300_000, 0, -10, 6_800_000)}
    write(source / "images" / "s.tif", np.stack([RED, NIR]), **place)
    write(source / "masks" / "s.tif", MASK, **place)
    import_scenes(table(images={"rgb": "images/{id}.tif"}, mask="masks/{id}.tif"), source, out)
    grid = Grid("EPSG:32632", 300_000.0, 6_800_000.0, 10.0, 3, 2)
    assert SceneFolder.open(out).grid("s") == grid
    assert read_raster(out / "s.tif").grid == grid


def test_ids_may_be_folders(table, source, out):
    write(source / "p7" / "rgb.png", np.stack([RED, NIR, RED]))
    index = import_scenes(table(images={"rgb": "{id}/rgb.png"}, mask=None), source, out)
    assert [scene.name for scene in index.scenes] == ["p7"]


def test_quality_says_what_each_sensor_saw(table, source, out):
    image(source, "s")
    radar = {**BAND, "sensor": "radar", "channel": 2, "nodata": 0}
    import_scenes(table(bands={"red": BAND, "vv": radar}, derived={}), source, out)
    folder, seen = SceneFolder.open(out), NIR != 0
    for layer in QUALITY_LAYERS:
        wanted = {"layover_shadow": np.zeros_like(seen)}.get(
            layer, seen if "radar" in layer or "passes" in layer else seen | True
        )
        np.testing.assert_array_equal(folder.quality("s", layer), wanted, err_msg=layer)


def test_what_no_sensor_of_the_table_saw_is_not_observable(table, source, out):
    image(source, "s")
    import_scenes(table(), source, out)
    assert not SceneFolder.open(out).quality("s", "observable_radar").any()
    assert not SceneFolder.open(out).quality("s", "passes_post").any()


def spoil(source, how):
    image(source, "a")
    image(source, "b")
    if how == "mask missing":
        (source / "masks" / "b.png").unlink()
    elif how == "mask of another size":
        write(source / "masks" / "b.png", np.zeros((4, 4), np.uint8))
    elif how == "too few channels":
        write(source / "images" / "b.png", RED)
    elif how == "broken image":
        (source / "images" / "b.png").write_bytes(b"no image")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("mask missing", r"masks/b\.png: missing; every scene needs its mask, or none has one"),
        ("mask of another size", r"masks/b\.png: \(4, 4\) pixels, the scene's images have \(2, 3\)"),
        ("too few channels", r"images/b\.png: has 1 channels; band nir wants channel 2"),
        ("broken image", r"images/b\.png: cannot be read"),
    ],
)
def test_a_mistake_in_one_image_names_it_and_leaves_nothing_half_written(table, source, out, how, says):
    spoil(source, how)
    with pytest.raises(SkredError, match=says):
        import_scenes(table(), source, out)
    assert not out.exists()
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_a_failed_import_keeps_the_one_before(table, source, out):
    image(source, "a")
    import_scenes(table(), source, out)
    spoil(source, "too few channels")
    with pytest.raises(InputError):
        import_scenes(table(), source, out)
    assert SceneFolder.open(out).names == ("a",)


def test_an_import_does_not_write_over_the_one_before(table, source, out):
    image(source, "a")
    import_scenes(table(), source, out)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    with pytest.raises(InputError, match="is there already"):
        import_scenes(table(), source, out)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_an_image_of_another_date_that_is_missing_or_of_another_size_is_named(table, source, out):
    image(source, "s")
    two = {"rgb": "images/{id}.png", "vv": "radar/{id}.png"}
    with pytest.raises(InputError, match=r"radar/s\.png: missing; scene s needs it for vv"):
        import_scenes(table(images=two), source, out)
    write(source / "radar" / "s.png", np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match=r"radar/s\.png: size or place .* differs from the scene's other images"):
        import_scenes(table(images=two), source, out)


def test_a_mask_that_lies_elsewhere_is_refused(table, source, out):
    for name, west in (("images", 0), ("masks", 10)):
        place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, west, 0, -10, 0)}
        write(source / name / "s.tif", np.stack([RED, NIR]) if name == "images" else MASK, **place)
    with pytest.raises(InputError, match=r"masks/s\.tif: lies at .*; reproject one of them"):
        import_scenes(table(images={"rgb": "images/{id}.tif"}, mask="masks/{id}.tif"), source, out)


def test_a_source_that_is_missing_or_empty_says_what_it_should_hold(table, source, out):
    with pytest.raises(InputError, match="source: no such folder"):
        import_scenes(table(), source, out)
    source.mkdir()
    with pytest.raises(InputError, match=r"no image matches 'images/\{id\}\.png', in it or in its folders train, val"):
        import_scenes(table(), source, out)


def test_the_same_images_give_the_same_bytes(table, source, tmp_path):
    image(source, "s")
    for name in ("one", "two"):
        import_scenes(table(), source, tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert (tmp_path / "two" / file.name).read_bytes() == file.read_bytes()
