import datetime as dt
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from composite_raw_folder import Paths, write_event
from rio_cogeo.cogeo import cog_validate

from skred.core.bands import EVENT_BANDS, band_names
from skred.core.errors import InputError, SkredError
from skred.core.raster import read_raster
from skred.core.scenes import QUALITY_LAYERS, SceneFolder
from skred.stages.composite import composite

GOLDEN = {  # mean, least, largest, number of unknown pixels
    "post_red": (0.0359334, 0.03, 0.12, 61),
    "post_green": (0.0607473, 0.055, 0.1, 61),
    "post_blue": (0.030977, 0.025, 0.08, 61),
    "post_nir": (0.297508, 0.18, 0.3049, 61),
    "pre_ndvi": (0.798339, 0.761862, 0.820735, 61),
    "post_ndvi": (0.783304, 0.2, 0.820735, 61),
    "dndvi": (-0.0150358, -0.616923, 0.0519658, 61),
    "pre_vv": (-8.30132, -11.3304, -5.89576, 144),
    "post_vv": (-8.40425, -13.9819, -6.22015, 144),
    "pre_vh": (-14.0332, -16.877, -11.189, 144),
    "post_vh": (-14.1016, -18.5764, -11.5298, 144),
    "elevation": (570.853, 480, 661, 0),
    "slope": (19.9333, 16.6992, 22.4708, 0),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    write_event(folder)
    return folder


@pytest.fixture
def paths(written, tmp_path):
    """An event of its own for a test that changes it."""
    shutil.copytree(written, tmp_path / "event")
    return Paths.within(tmp_path / "event")


@pytest.fixture(scope="module")
def made(written, tmp_path_factory):
    paths = replace(Paths.within(written), out=tmp_path_factory.mktemp("made") / "made-up")
    composite(paths.params, paths.event, paths.raw, paths.out)
    return paths


def again(paths):
    composite(paths.params, paths.event, paths.raw, paths.out)
    return SceneFolder.open(paths.out)


def edit_manifest(paths, edit):
    file = paths.raw / "manifest.json"
    manifest = json.loads(file.read_text())
    edit(manifest)
    file.write_text(json.dumps(manifest))


def edit_params(paths, part, key, value):
    params = yaml.safe_load(paths.params.read_text())
    params["composite"][part][key] = value
    paths.params.write_text(yaml.safe_dump(params))


def drop(manifest, unwanted):
    manifest["acquisitions"] = [entry for entry in manifest["acquisitions"] if not unwanted(entry)]


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_the_bands_have_their_golden_statistics(made):
    raster = read_raster(made.out / "made-up.tif")
    assert raster.array.shape == (13, 48, 48)
    assert raster.array.dtype == np.float32
    assert raster.names == band_names(EVENT_BANDS)
    assert raster.units == tuple(band.unit for band in EVENT_BANDS)
    assert np.isnan(raster.nodata)
    for name, (mean, low, high, unknown) in GOLDEN.items():
        band = raster.band(name)
        assert np.isnan(band).sum() == unknown, name
        found = np.nanmean(band, dtype=np.float64), np.nanmin(band), np.nanmax(band)
        assert found == pytest.approx((mean, low, high), rel=1e-4), name
    assert tuple(GOLDEN) == raster.names


def test_every_file_is_a_valid_cog_with_the_tag_simulated(made):
    files = sorted(made.out.glob("*.tif"))
    assert len(files) == 3
    for file in files:
        assert cog_validate(file)[0], file
        assert read_raster(file).tags["simulated"] == "yes"


def test_the_index_says_what_the_folder_is(made):
    index = SceneFolder.open(made.out).index
    assert (index.event, index.role, index.simulated) == ("made-up", "develop", True)
    assert [scene.name for scene in index.scenes] == ["made-up"]
    assert index.about["pre"]["radar_passes_per_track"]["ascending 15"] == 2
    assert index.about["post"]["optical_dates"] == ["2019-08-01", "2019-08-03", "2019-08-05"]


def test_the_landslide_shows_in_all_sensors_where_its_label_is(made):
    folder = SceneFolder.open(made.out)
    slide = folder.labels("made-up") == 1
    assert (slide[12:24, 12:16]).all()
    assert slide.sum() == 48
    dndvi, pre_vv, post_vv = folder.bands("made-up", ["dndvi", "pre_vv", "post_vv"])
    assert np.nanmedian(dndvi[slide]) == pytest.approx(-0.59, abs=0.02)
    assert abs(np.nanmedian(dndvi[~slide])) < 0.01
    assert np.nanmean((post_vv - pre_vv)[slide]) == pytest.approx(-3.0, abs=0.4)
    assert abs(np.nanmean((post_vv - pre_vv)[~slide])) < 0.1


def test_quality_layers_agree_with_the_bands(made):
    folder = SceneFolder.open(made.out)
    quality = {layer: folder.quality("made-up", layer) for layer in QUALITY_LAYERS}
    assert all(layer.dtype == np.uint8 for layer in quality.values())
    dndvi, pre_vv = folder.bands("made-up", ["dndvi", "pre_vv"])
    np.testing.assert_array_equal(quality["observable_optical"] == 1, np.isfinite(dndvi))
    np.testing.assert_array_equal(quality["observable_radar"] == 1, np.isfinite(pre_vv))
    assert quality["layover_shadow"][:3].all()
    assert not quality["layover_shadow"][3:].any()
    assert (quality["passes_pre"][10, 0], quality["passes_pre"][10, 10]) == (4, 8)  # two tracks are blind on the left


def test_the_same_inputs_give_the_same_bytes(made):
    before = digests(made.out)
    again(made)
    assert digests(made.out) == before
    assert not list(made.out.parent.glob(".*"))


def test_a_track_that_stops_flying_is_no_change(paths):
    def gone(entry):
        return entry["sensor"] == "S1" and entry["window"] == "post" and entry["relative_orbit"] in (15, 117)

    edit_manifest(paths, lambda manifest: drop(manifest, gone))
    folder = again(paths)
    pre_vv, post_vv = folder.bands("made-up", ["pre_vv", "post_vv"])
    away = folder.labels("made-up") == 0
    assert abs(np.nanmean((post_vv - pre_vv)[away])) < 0.1
    assert folder.quality("made-up", "passes_pre").max() == 4


def test_means_of_db_and_layover_are_parameters(paths):
    linear = again(paths).bands("made-up", ["pre_vv"])
    edit_params(paths, "radar", "mean", "db")
    db = again(paths).bands("made-up", ["pre_vv"])
    assert 0.3 < np.nanmean(linear - db) < 0.51
    edit_params(paths, "radar", "drop_layover_shadow", False)
    folder = again(paths)
    assert np.isfinite(folder.bands("made-up", ["pre_vv"])).all()
    assert folder.quality("made-up", "layover_shadow")[:3].all()


def test_more_clear_looks_can_be_asked_for(paths):
    edit_params(paths, "optical", "min_clear", 3)
    folder = again(paths)
    post_red, pre_ndvi, dndvi = folder.bands("made-up", ["post_red", "pre_ndvi", "dndvi"])
    np.testing.assert_array_equal(np.isfinite(post_red), folder.quality("made-up", "clear_post") >= 3)
    np.testing.assert_array_equal(np.isfinite(pre_ndvi), folder.quality("made-up", "clear_pre") >= 3)
    np.testing.assert_array_equal(np.isnan(dndvi), np.isnan(post_red) | np.isnan(pre_ndvi))


@pytest.mark.parametrize(("sensor", "other", "band"), [("S2", "pre_vv", "dndvi"), ("S1", "dndvi", "pre_vv")])
def test_an_event_without_a_sensor_has_unknown_bands_and_says_so(paths, capsys, sensor, other, band):
    edit_manifest(paths, lambda manifest: drop(manifest, lambda entry: entry["sensor"] == sensor))
    seen, unseen = again(paths).bands("made-up", [other, band])
    assert np.isfinite(seen).any()
    assert np.isnan(unseen).all()
    assert (
        f"skred: made-up: no pixel has enough {'clear optical' if sensor == 'S2' else 'radar'}"
        in capsys.readouterr().err
    )


def test_a_control_has_no_landslides(tmp_path):
    folder = again(write_event(tmp_path, role="control"))
    assert folder.index.role == "control"
    assert not folder.labels("made-up").any()


def test_an_event_with_landslides_needs_its_inventory(paths):
    edit_manifest(paths, lambda manifest: manifest.update(inventory=None))
    with pytest.raises(InputError, match="no inventory, but made-up has role develop"):
        again(paths)


def test_a_missing_and_a_broken_file_are_named_and_nothing_is_written(paths):
    file = paths.raw / "S1" / "post-09.tif"
    whole = file.read_bytes()
    file.unlink()
    with pytest.raises(SkredError, match=r"post-09\.tif: missing, although manifest\.json names it; run the download"):
        again(paths)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SkredError, match=r"^[^\n]*post-09\.tif: cannot be read as a raster[^\n]*$"):
        again(paths)
    assert not paths.out.exists()
    assert not list(paths.out.parent.glob(".*"))


def test_a_file_on_another_grid_is_named(paths, tmp_path):
    other = write_event(tmp_path / "other", size_px=40, optical=2, radar=8)
    (other.raw / "S2" / "pre-00.tif").replace(paths.raw / "S2" / "pre-00.tif")
    with pytest.raises(SkredError, match=r"pre-00\.tif: lies on 40 x 40 pixels of 10 m .*wanted .* 48 x 48 pixels"):
        again(paths)


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda m: m.update(event="elsewhere"), "is of event 'elsewhere', wanted 'made-up'"),
        (lambda m: m["acquisitions"][0].update(time="2018-07-01T05:00:00Z"), "2018-07-01 is not in the pre window"),
        (lambda m: m["acquisitions"].append(m["acquisitions"][0] | {"id": "S1_00b"}), "S1_00 and S1_00b are one pass"),
        (lambda m: m["geometry"].pop(), "no geometry file for the track of S1_"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path, edit, complaint):
    paths = write_event(tmp_path, size_px=16, optical=2, radar=8)
    edit_manifest(paths, edit)
    with pytest.raises(InputError, match=complaint):
        again(paths)


def test_the_command_ends_with_one_line_and_an_exit_code(tmp_path):
    paths = write_event(tmp_path, size_px=16, optical=2, radar=8)
    (paths.raw / "dem.tif").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "skred.stages.composite", *paths.arguments()],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("skred: ")
    assert "dem.tif: missing" in done.stderr
    assert done.stderr.count("\n") == 1


def late(entry, days):
    return entry["time"][:10] > str(dt.date(2019, 7, 30) + dt.timedelta(days=days))


def test_the_composite_of_the_first_days_knows_no_later_pass(paths, made):
    composite(paths.params, paths.event, paths.raw, paths.out, post_days=4)
    early = {file.name: file.read_bytes() for file in paths.out.glob("*.tif")}
    about = SceneFolder.open(paths.out).index.about
    assert (about["post_days"], about["post"]["last"]) == (4, "2019-08-03")
    edit_manifest(paths, lambda manifest: drop(manifest, lambda entry: late(entry, 4)))
    again(paths)
    assert {file.name: file.read_bytes() for file in paths.out.glob("*.tif")} == early
    whole = SceneFolder.open(made.out)
    assert whole.index.about["post"]["radar_passes"] > about["post"]["radar_passes"] > 0
    assert "post_days" not in whole.index.about


def test_the_composite_of_all_days_is_the_whole_one(paths, made):
    composite(paths.params, paths.event, paths.raw, paths.out, post_days=31)
    for file in made.out.glob("*.tif"):
        assert (paths.out / file.name).read_bytes() == file.read_bytes()


def test_before_the_first_look_the_optical_bands_are_unknown_and_before_the_window_there_is_no_composite(paths, capsys):
    edit_manifest(paths, lambda manifest: drop(manifest, lambda e: e["sensor"] == "S2" and e["window"] == "post"))
    composite(paths.params, paths.event, paths.raw, paths.out, post_days=1)
    scene = SceneFolder.open(paths.out)
    assert np.isnan(scene.bands("made-up", ["dndvi", "post_red"])).all()
    assert "the optical bands are unknown" in capsys.readouterr().err
    with pytest.raises(InputError, match="--post-days 0: the second window of made-up begins 1 days after it"):
        composite(paths.params, paths.event, paths.raw, paths.out, post_days=0)
