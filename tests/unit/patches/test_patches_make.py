"""Patches on disk: what is cut is what the scenes hold, once, by seed, or an error that says what to change."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skred.core.errors import InputError
from skred.patches.make import split_of_scenes
from skred.patches.split import Split
from skred.patches.store import PatchFolder


def blobs(height=128, width=128, seed=0, size=5, n=60):
    rng = np.random.default_rng(seed)
    labels = np.zeros((height, width), np.uint8)
    for row, col in zip(rng.integers(0, height - size, n), rng.integers(0, width - size, n), strict=True):
        labels[row : row + size, col : col + size] = 1
    return labels


@pytest.fixture(scope="module")
def cut(make_scenes, make_patch_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("patches")
    labels = blobs()
    labels[100:104, 100:104] = 255
    scenes = make_scenes(root / "scenes", {"s": labels}, simulated=True)
    return scenes, make_patch_folder(root / "scenes", root / "patches")


def test_every_patch_is_the_piece_of_the_scene_that_the_index_says(cut):
    scenes, patches = cut
    values = scenes.bands("s", ["dndvi", "post_vv"])
    labels, split = scenes.labels("s"), patches.split_raster("s")
    vv, ndvi = patches.x(["post_vv", "dndvi"])
    for i, place in enumerate(patches.index.itertuples()):
        piece = np.s_[place.row : place.row + place.height, place.col : place.col + place.width]
        np.testing.assert_array_equal(ndvi[i], values[0][piece])
        np.testing.assert_array_equal(vv[i], values[1][piece])
        own = split[piece] == Split[place.split.upper()]
        assert own.any()
        assert own.all() or place.split != "train"
        assert (patches.y()[i][~own] == 255).all()  # a held-out window may reach into the buffer, without its labels
        same = patches.y()[i] == labels[piece]
        assert (same | (labels[piece] == 1) & (patches.y()[i] == 255))[own].all()
        known = patches.y()[i] != 255
        share = (patches.y()[i] == 1).sum() / known.sum() if known.any() else 0
        assert place.landslide_share == pytest.approx(share, abs=1e-6)


def test_arrays_have_the_types_of_the_contract_and_are_mapped_not_read(cut):
    _, patches = cut
    (x,) = patches.x(["dndvi"])
    assert (x.dtype, patches.y().dtype) == (np.float32, np.uint8)
    assert isinstance(x, np.memmap)
    assert x.shape == patches.y().shape == (len(patches.index), 16, 16)
    assert {file.name for file in (patches.path / "x").iterdir()} == {"dndvi.npy", "post_vv.npy"}
    assert patches.about.simulated


def test_every_split_has_patches_and_landslides(cut):
    _, patches = cut
    for split in ("train", "val", "test"):
        assert len(patches.rows(split))
    assert (patches.y()[patches.rows("train")] == 1).any()


def test_the_same_scenes_and_seed_give_the_same_bytes(cut, make_patch_folder, tmp_path):
    scenes, patches = cut
    again = make_patch_folder(scenes.path, tmp_path / "again")
    for file in sorted(path for path in patches.path.rglob("*") if path.is_file()):
        assert (again.path / file.relative_to(patches.path)).read_bytes() == file.read_bytes()
    other = make_patch_folder(scenes.path, tmp_path / "other", seed=2)
    assert not np.array_equal(other.split_raster("s"), patches.split_raster("s"))


def test_whole_scenes_keep_the_split_of_their_folder(make_scenes, make_patch_folder, tmp_path):
    names = [f"train-{i:02}" for i in range(10)] + ["val-00", "val-01"]
    splits = {name: "train" if name.startswith("train") else "test" for name in names}
    make_scenes(tmp_path / "scenes", {name: blobs(32, 32, i, n=6) for i, name in enumerate(names)}, splits=splits)
    patches = make_patch_folder(
        tmp_path / "scenes", tmp_path / "out", "scenes", window_px=32, block_px=32, buffer_px=16
    )
    where = dict(zip(patches.index["scene"], patches.index["split"], strict=True))
    assert {name for name, split in where.items() if split == "val"} == {"train-08", "train-09"}  # 0.25 of 10 is 2
    assert {name for name, split in where.items() if split == "test"} == {"val-00", "val-01"}
    assert len(where) == len(patches.index) == 12


def folder_of(make_scenes, path, splits):
    return make_scenes(path, {name: np.zeros((16, 16), np.uint8) for name in splits}, splits=splits)


def test_a_given_validation_folder_is_taken_as_it_is(make_scenes, tmp_path):
    folder = folder_of(make_scenes, tmp_path / "f", {"a": "train", "b": "val", "c": "test", "d": "train"})
    got = split_of_scenes(folder, 0.5)
    assert got == {"a": Split.TRAIN, "b": Split.VAL, "c": Split.TEST, "d": Split.TRAIN}


def test_scenes_of_no_folder_are_never_trained_on(make_scenes, tmp_path):
    folder = folder_of(make_scenes, tmp_path / "f", {"a": None, "b": None})
    with pytest.raises(InputError, match="no scenes of split train left"):
        split_of_scenes(folder, 0.2)


def test_one_training_scene_cannot_be_validation_too(make_scenes, tmp_path):
    with pytest.raises(InputError, match="wanted at least two"):
        split_of_scenes(folder_of(make_scenes, tmp_path / "f", {"a": "train", "b": "test"}), 0.2)


@pytest.mark.parametrize(
    ("labels", "changed", "says"),
    [
        (np.zeros((96, 96), np.uint8), {}, "no landslide in the train windows; use another patch.seed"),
        (
            blobs(20, 20, n=4),
            {"window_px": 32, "buffer_px": 16},
            "no train window of 32 pixels fits; make patch",
        ),
        (blobs(64, 64), {"buffer_px": 40}, "no train window of 16 pixels fits"),
    ],
)
def test_scenes_that_cannot_be_divided_leave_nothing_behind(
    make_scenes, make_patch_folder, tmp_path, labels, changed, says
):
    make_scenes(tmp_path / "scenes", {"s": labels})
    with pytest.raises(InputError, match=says):
        make_patch_folder(tmp_path / "scenes", tmp_path / "out", **changed)
    assert [path.name for path in tmp_path.iterdir()] == ["scenes"]


def test_a_folder_that_is_no_folder_of_patches(tmp_path):
    with pytest.raises(InputError, match="run the patch stage"):
        PatchFolder.open(tmp_path)


def test_a_band_that_the_patches_lack_is_named(cut):
    with pytest.raises(InputError, match="no band called slope; there are dndvi, post_vv"):
        cut[1].x(["slope"])


windows = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12
)


@settings(max_examples=60)
@given(windows, st.integers(1, 12), st.data())
def test_every_pixel_is_distinct_once_however_patches_overlap(places, side, data):
    table = pd.DataFrame(places, columns=["scene", "row", "col"]).assign(height=side, width=side)
    patches = PatchFolder(None, None, table)
    rows = np.array(data.draw(st.lists(st.sampled_from(range(len(places))), min_size=1, unique=True)))
    distinct = patches.distinct_pixels(rows)
    assert distinct.shape == (len(rows), side, side)
    for scene in "ab":
        counted, covered = np.zeros((40, 40), int), np.zeros((40, 40), bool)
        for mask, row in zip(distinct, rows, strict=True):
            name, top, left = places[row]
            if name == scene:
                counted[top : top + side, left : left + side] += mask
                covered[top : top + side, left : left + side] = True
        np.testing.assert_array_equal(counted, covered)
