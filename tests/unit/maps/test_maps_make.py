"""The folder of maps that people load into a GIS: promised layers, schema, CRS and bytes, whatever there is to show."""

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from maps_place import PARAMS, card, manifest, mapped, write_event, write_model
from skred.core.errors import InputError
from skred.core.json_file import write_json
from skred.core.scenes import SceneFolder
from skred.maps import make
from skred.maps.attributes import COLUMNS
from skred.maps.caveats import known_scores
from skred.maps.make import Maker, make_maps
from skred.maps.observing import WORDS, Seen
from skred.patches.store import PatchFolder
from skred.scores.bins import predicted_positive

NAME = "toy-fusion-cart"


def slide(shape=(40, 50), *places, value=0.9):
    probability = np.full(shape, 0.01)
    for rows, cols in places:
        probability[rows, cols] = value
    return probability


TWO = slide((40, 50), (slice(5, 12), slice(8, 11)), (slice(20, 24), slice(30, 40)))


def layer(folder, name):
    return pyogrio.read_dataframe(folder / f"{NAME}.gpkg", layer=name)


def test_the_geopackage_has_the_promised_layers_columns_crs_and_styles(tmp_path):
    maps = mapped(tmp_path, TWO)
    names = [str(name) for name, _ in pyogrio.list_layers(maps / f"{NAME}.gpkg")]
    assert names == ["landslides", "observable", "aoi", "layer_styles"]
    for name in names[:3]:
        info = pyogrio.read_info(maps / f"{NAME}.gpkg", layer=name)
        assert (info["crs"], info["geometry_type"]) == ("EPSG:32632", "MultiPolygon")
    frame = layer(maps, "landslides")
    assert list(frame.columns) == [*COLUMNS, "geometry"]
    assert frame.geometry.is_valid.all()
    styles = pyogrio.read_dataframe(maps / f"{NAME}.gpkg", layer="layer_styles", read_geometry=False)
    assert styles["f_table_name"].tolist() == names[:3]
    assert styles["useAsDefault"].all()
    for qml in styles["styleQML"]:
        assert ET.fromstring(qml).tag == "qgis"  # noqa: S314  # our own text


def test_the_attributes_are_those_of_the_pixels(tmp_path):
    row = layer(mapped(tmp_path, TWO), "landslides").iloc[1]
    assert (row["id"], row["area_m2"], row["length_m"], row["width_m"]) == (2, 4000, 100, 40)
    assert row["orientation_deg"] == 90
    assert (row["probability_mean"], row["probability_max"]) == (0.9, 0.9)
    assert (row["elevation_min_m"], row["elevation_max_m"], row["slope_mean_deg"]) == (300, 330, 30)
    assert (row["observable_share"], row["days_to_last_image"]) == (1.0, 21)
    assert (row["threshold"], row["min_area_m2"], row["simulated"]) == (0.5, 300, True)
    assert (row["trained_on"], row["trained_on_simulated"]) == ("toy", True)
    assert len(row["model_sha256"]) == 64
    assert row["split"] is None
    assert np.isnan(row["spread_mean"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_areas_add_up_to_the_thresholded_raster_after_the_mapping_unit_within_one_percent(tmp_path, seed):
    from scipy import ndimage  # noqa: PLC0415

    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(120, 150)), 2.5)
    probability = np.clip(0.5 + 2 * noise, 0, 1)
    frame = layer(mapped(tmp_path, probability), "landslides")
    objects, count = ndimage.label(probability.astype(np.float32) >= 0.5, np.ones((3, 3)))
    sizes = np.bincount(objects.ravel(), minlength=count + 1)[1:]
    wanted = 100 * sizes[sizes >= 3].sum()
    assert frame["area_m2"].sum() == pytest.approx(wanted, rel=0.01)
    assert frame.geometry.area.sum() == pytest.approx(frame["area_m2"].sum())
    assert frame.geometry.is_valid.all()


def test_without_any_landslide_schema_and_crs_stand(tmp_path):
    maps = mapped(tmp_path, slide())
    frame = layer(maps, "landslides")
    assert len(frame) == 0
    assert list(frame.columns) == [*COLUMNS, "geometry"]
    assert frame.crs.to_epsg() == 32632
    assert json.loads((maps / f"{NAME}.geojson").read_text())["features"] == []
    assert layer(maps, "observable")["share"].tolist() == [1.0]


def test_one_pixel_is_a_landslide_where_the_mapping_unit_allows_it(tmp_path):
    one = slide((20, 20), (slice(0, 1), slice(19, 20)))
    assert len(layer(mapped(tmp_path / "a", one), "landslides")) == 0
    scenes, predicted = write_event(tmp_path / "b", one)
    maker = Maker.open(write_model(tmp_path / "b/model", card()), PARAMS.model_copy(update={"min_area_m2": 100}))
    make_maps(maker, scenes, predicted, tmp_path / "b/maps", manifest=manifest())
    row = layer(tmp_path / "b/maps", "landslides").iloc[0]
    assert (row["area_m2"], row["length_m"], row["width_m"]) == (100, 10, 10)
    assert np.isnan(row["orientation_deg"])


def test_a_landslide_at_the_border_ends_at_the_border(tmp_path):
    maps = mapped(tmp_path, slide((20, 30), (slice(0, 20), slice(25, 30)), (slice(16, 20), slice(0, 4))))
    frame, area = layer(maps, "landslides"), layer(maps, "aoi").geometry.iloc[0]
    assert len(frame) == 2
    assert frame.geometry.within(area).all()
    assert frame.total_bounds.tolist() == list(area.bounds)


def test_where_nothing_could_be_seen_the_map_says_so_and_claims_nothing(tmp_path):
    nowhere = np.ones((20, 30), bool)
    blind = dict.fromkeys(("dndvi", "pre_vv", "post_vv"), nowhere)
    quality = {"observable_optical": 0, "observable_radar": 0, "layover_shadow": np.arange(30) < 12}
    maps = mapped(tmp_path, slide((20, 30), (slice(0, 9), slice(0, 9))), unknown=blind, quality=quality)
    assert len(layer(maps, "landslides")) == 0
    seen = layer(maps, "observable")
    assert dict(zip(seen["reason"], seen["share"], strict=True)) == {
        WORDS[Seen.LAYOVER_SHADOW]: 0.4,
        WORDS[Seen.CLOUD]: 0.6,
    }
    assert not seen["observable"].any()
    with rasterio.open(maps / f"{NAME}.probability.tif") as raster:
        assert np.isnan(raster.read(1)).all()
    [summary] = json.loads((maps / "summary.json").read_text())
    assert (summary["observable_share"], summary["seen_share"]) == (0, 0)


@pytest.mark.parametrize(
    ("names", "reasons"),
    [
        (("dndvi",), {Seen.FULLY, Seen.CLOUD}),
        (("pre_vv", "post_vv"), {Seen.FULLY, Seen.LAYOVER_SHADOW, Seen.NO_PASS}),
        (("dndvi", "pre_vv"), {Seen.FULLY, Seen.RADAR_ONLY, Seen.OPTICS_ONLY}),
    ],
)
def test_what_could_be_seen_is_judged_for_the_sensors_of_the_setting(tmp_path, names, reasons):
    cols = np.arange(40)
    quality = {
        "observable_optical": cols >= 10,
        "observable_radar": cols < 30,
        "layover_shadow": (cols >= 30) & (cols < 35),
    }
    maps = mapped(tmp_path, slide((20, 40)), card(names), quality=quality)
    assert set(layer(maps, "observable")["reason"]) == {WORDS[reason] for reason in reasons}


def test_a_map_of_the_event_that_was_trained_on_says_split_and_outlines_the_blocks(tmp_path, make_patch_folder):
    labels = np.zeros((128, 128), np.uint8)
    labels[::16, ::16] = 1
    every = range(2, 120, 12)
    probability = slide((128, 128), *((slice(r, r + 4), slice(c, c + 4)) for r in every for c in every))
    scenes, predicted = write_event(tmp_path, probability, labels=labels, role="develop")
    patches = make_patch_folder(scenes.path, tmp_path / "patches")
    maker = Maker.open(write_model(tmp_path / "model", card()), PARAMS)
    make_maps(maker, scenes, predicted, tmp_path / "maps", manifest=manifest(), patches=patches)
    split = PatchFolder.open(tmp_path / "patches").split_raster("toy")
    frame, aoi = layer(tmp_path / "maps", "landslides"), layer(tmp_path / "maps", "aoi")
    assert set(frame["split"]) == {"train", "val", "test", "buffer"}
    assert set(aoi["part"]) == {"area", "train", "val", "test", "buffer"}
    whole = aoi[["landslides", "landslide_area_m2", "observable_share", "days_to_last_image"]].notna()
    assert whole.all(axis=1).equals(whole.any(axis=1))
    assert whole.all(axis=1).equals(aoi["part"] == "area")
    assert aoi.set_index("part")["part_km2"]["test"] == pytest.approx((split == 3).sum() * 1e-4)
    inside = gpd.sjoin(frame, aoi[aoi["part"] == "test"][["geometry"]], predicate="within")
    assert set(inside["split"]) == {"test"}


def test_the_mapping_unit_is_that_of_validation_unless_the_parameter_says_another(tmp_path):
    scores = tmp_path / "scores"
    scores.mkdir()
    write_json(scores / "scores.json", {"unit_px": 30})
    scenes, predicted = write_event(tmp_path, TWO)
    model, chosen = write_model(tmp_path / "model", card()), PARAMS.model_copy(update={"min_area_m2": None})
    with pytest.raises(InputError, match=r"no minimum mapping unit; give --scores, .* or set map\.polygons\.min_area"):
        Maker.open(model, chosen)
    assert Maker.open(model, PARAMS, scores).min_area_m2(scenes.grid("toy")) == 300
    maker = Maker.open(model, chosen, scores)
    make_maps(maker, scenes, predicted, tmp_path / "maps")
    frame = layer(tmp_path / "maps", "landslides")
    assert (frame["min_area_m2"].tolist(), frame["area_m2"].tolist()) == ([3000], [4000])
    assert frame["days_to_last_image"].isna().all()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"cell": "sar-unet"}, r"scores of sar-unet, wanted those of fusion-cart"),
        (
            {"cell": "fusion-cart", "threshold": 0.7},
            r"scores of another training .* \(threshold 0\.7, the model's is 0\.5",
        ),
    ],
)
def test_scores_of_another_model_or_training_are_refused(tmp_path, other, told):
    (tmp_path / "scores").mkdir()
    write_json(tmp_path / "scores/scores.json", {"unit_px": 30} | other)
    with pytest.raises(InputError, match=told):
        Maker.open(write_model(tmp_path / "model", card()), PARAMS, tmp_path / "scores")


@pytest.mark.parametrize(("names", "days"), [(("dndvi",), 12), (("pre_vv", "post_vv"), 21)])
def test_the_last_image_is_one_that_can_have_been_used(tmp_path, names, days):
    maps = mapped(tmp_path, TWO, card(names))
    assert json.loads((maps / "summary.json").read_text())[0]["days_to_last_image"] == days


@pytest.mark.parametrize("simulated", [True, False])
def test_every_file_says_what_the_model_learnt_from_and_that_it_misses_some(tmp_path, simulated):
    write_event(tmp_path, TWO)
    index = json.loads((tmp_path / "scenes/scenes.json").read_text())
    write_json(tmp_path / "scenes/scenes.json", index | {"simulated": simulated})
    (tmp_path / "scores").mkdir()
    small = {"under_0.1_ha": {"landslides": 27, "found": 9}}
    ends = {"recall_low": 0.45, "recall_high": 0.733, "precision": 0.766, "precision_low": 0.59, "precision_high": 0.88}
    scored = {"objects": {"recall": 0.494, "by_size": small, **ends}}
    rate = {"false_alarms_per_100km2": 81.4, "false_alarms_per_100km2_low": 54.4}
    known = {"cell": "fusion-cart", "unit_px": 3, "objects": {"recall": 0.9}, "unseen": scored, "control": rate}
    write_json(tmp_path / "scores/scores.json", known)
    maker = Maker.open(write_model(tmp_path / "model", card()), PARAMS, tmp_path / "scores")
    scenes, maps = SceneFolder.open(tmp_path / "scenes"), tmp_path / "maps"
    [summary] = make_maps(maker, scenes, tmp_path / "probability", maps)
    learnt = "CAUTION: fusion-cart learnt from simulated landslides only (event toy), and these images are real"
    if simulated:
        learnt = "fusion-cart learnt from simulated landslides of the event toy."
    missing = (
        "of all known ones, seen or not, it found 49 % [45, 73], 33 % of those below 0.1 ha (unseen event, simulated)"
    )
    wrong = (
        "Of such detections 77 % [59, 88] were right (unseen event, simulated); about 81 false alarms per 100 km² "
        "where nothing slid, so about 0.16 are expected on this area by chance. Clear-cuts, flood deposits"
    )
    assert (summary["trained_on"], summary["trained_on_simulated"], summary["recall"]) == ("toy", True, 0.494)
    description = json.loads((maps / f"{NAME}.json").read_text())["properties"]["description"]
    with sqlite3.connect(maps / f"{NAME}.gpkg") as base:
        told = dict(base.execute("select table_name, description from gpkg_contents"))
    for text in (description, told["landslides"]):
        assert learnt in text
        assert wrong in text
        assert missing in text
    assert missing in told["observable"]
    with rasterio.open(maps / f"{NAME}.probability.tif") as raster:
        assert (raster.tags()["trained_on"], raster.tags()["trained_on_simulated"]) == ("toy", "yes")


def test_scores_at_another_mapping_unit_are_not_told_and_the_control_says_that_none_is_real(tmp_path):
    scenes, predicted = write_event(tmp_path, TWO, role="control")
    (tmp_path / "scores").mkdir()
    known = {"unit_px": 4, "unseen": {"objects": {"recall": 0.5, "precision": 0.5}}}
    write_json(tmp_path / "scores/scores.json", known)
    maker = Maker.open(write_model(tmp_path / "model", card()), PARAMS, tmp_path / "scores")
    [summary] = make_maps(maker, scenes, predicted, tmp_path / "maps")
    assert (summary["recall"], summary["precision"], summary["false_alarms_per_100km2"]) == (None, None, None)
    description = json.loads((tmp_path / f"maps/{NAME}.json").read_text())["properties"]["description"]
    assert "none of these detections is real" in description


@pytest.mark.parametrize(
    ("scores", "recall", "where"),
    [
        ({"objects": {"recall": 0.8}}, 0.8, "test blocks"),
        ({"objects": {"recall": 0.8}, "unseen": {"objects": {"recall": 0.6}}}, 0.6, "unseen event"),
        ({"split": "random", "objects": {"recall": 0.8}}, None, None),
        ({"split": "random", "objects": {"recall": 0.8}, "unseen": {"objects": {"recall": 0.6}}}, 0.6, "unseen event"),
        ({}, None, None),
    ],
)
def test_the_recall_is_that_of_the_place_that_was_never_learnt_from(scores, recall, where):
    known = known_scores(scores)
    assert (known["recall"], known["measured_on"]) == (recall, where)


def test_a_user_who_compares_with_a_thousandth_finds_the_pixels_that_the_model_means():
    thousandths = np.arange(1001) / 1000
    for probability in (thousandths, np.float32(thousandths), thousandths + 0.0004):
        written = make._whole_thousandths(probability)
        assert written.dtype == np.float32
        for k, threshold in enumerate(thousandths[:-1]):  # a GIS compares in float64
            assert ((written.astype(np.float64) >= threshold) == (np.arange(1001) >= k)).all(), threshold
            assert (predicted_positive(np.minimum(written, 1), threshold) == (np.arange(1001) >= k)).all(), threshold


def test_the_spread_of_an_ensemble_is_told_per_polygon(tmp_path):
    from skred.core.raster import Raster, read_raster, write_cog  # noqa: PLC0415

    scenes, predicted = write_event(tmp_path, TWO)
    one = read_raster(predicted / "toy.tif")
    both = np.concatenate([one.array, np.full_like(one.array, 0.125)])
    write_cog(predicted / "toy.tif", Raster(both, one.grid, ("probability", "spread"), ("1", "1"), float("nan")))
    make_maps(Maker.open(write_model(tmp_path / "model", card()), PARAMS), scenes, predicted, tmp_path / "maps")
    assert layer(tmp_path / "maps", "landslides")["spread_mean"].tolist() == [0.125, 0.125]


def test_the_probability_is_a_valid_cog_with_overviews_nodata_and_a_style(tmp_path):
    clouded = np.zeros((600, 520), bool)
    clouded[:100] = True
    blind = dict.fromkeys(("dndvi", "pre_vv", "post_vv"), clouded)
    maps = mapped(tmp_path, slide((600, 520), (slice(300, 310), slice(300, 310)), value=0.8765), unknown=blind)
    file = maps / f"{NAME}.probability.tif"
    valid, errors, warnings = cog_validate(file, strict=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(file) as raster:
        assert np.isnan(raster.nodata)
        assert raster.overviews(1)
        values = raster.read(1)
        assert raster.tags()["simulated"] == "yes"
    assert np.isnan(values[:100]).all()
    assert values[305, 305] == pytest.approx(0.876, abs=1e-7)  # whole thousandths, rounded down
    assert ET.parse(maps / f"{NAME}.probability.qml").getroot().tag == "qgis"  # noqa: S314


def test_the_geojson_is_in_degrees_and_covers_the_same_ground(tmp_path):
    maps = mapped(tmp_path, TWO)
    frame = gpd.read_file(maps / f"{NAME}.geojson")
    assert frame.crs.to_epsg() == 4326
    assert frame.to_crs("EPSG:32632").area.sum() == pytest.approx(6100, rel=1e-4)


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_the_same_inputs_give_the_same_bytes_and_another_model_another_hash(tmp_path):
    first, second = mapped(tmp_path / "a", TWO), mapped(tmp_path / "b", TWO)
    assert digests(first) == digests(second)
    assert str(tmp_path).encode() not in b"".join(file.read_bytes() for file in first.iterdir())
    other = mapped(tmp_path / "c", TWO, card(chosen={"depth": 4.0}))
    assert layer(other, "landslides")["model_sha256"][0] != layer(first, "landslides")["model_sha256"][0]


def test_images_without_a_place_are_refused_with_one_line_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="has no CRS"):
        mapped(tmp_path, slide((20, 20)), crs=None)
    assert not (tmp_path / "maps").exists()


def test_a_probability_on_another_grid_is_refused(tmp_path):
    scenes, _ = write_event(tmp_path / "a", slide((20, 20)))
    _, other = write_event(tmp_path / "b", slide((20, 30)))
    maker = Maker.open(write_model(tmp_path / "model", card()), PARAMS)
    with pytest.raises(InputError, match="another grid"):
        make_maps(maker, scenes, other, tmp_path / "maps")


def test_the_integrity_of_the_file_holds_for_sqlite(tmp_path):
    with sqlite3.connect(mapped(tmp_path, TWO) / f"{NAME}.gpkg") as base:
        assert base.execute("pragma integrity_check").fetchone() == ("ok",)
        assert base.execute("select distinct last_change from gpkg_contents").fetchall() == [
            ("2000-01-01T00:00:00.000Z",)
        ]


@pytest.mark.skipif(
    shutil.which("ogrinfo") is None, reason="no ogrinfo on this machine: make test-tools installs Debian's"
)
def test_ogrinfo_opens_every_layer(tmp_path):
    file = mapped(tmp_path, TWO) / f"{NAME}.gpkg"
    told = subprocess.run(["ogrinfo", "-so", "-al", str(file)], capture_output=True, text=True, check=True).stdout
    for name in ("landslides", "observable", "aoi"):
        assert f"Layer name: {name}" in told
    assert 'ID["EPSG",32632]' in told


def test_the_stage_makes_a_folder_per_event(tmp_path):
    write_event(tmp_path, TWO)
    (tmp_path / "probability").rename(tmp_path / "toy")
    (tmp_path / "probability").mkdir()
    (tmp_path / "toy").rename(tmp_path / "probability/toy")
    write_model(tmp_path / "model", card())
    write_json(tmp_path / "params.yaml", {"map": {"cells": [], "polygons": PARAMS.model_dump()}})
    arguments = "--params params.yaml --model model --probability probability --scenes scenes --out maps"
    done = subprocess.run(
        [sys.executable, "-m", "skred.stages.map", *arguments.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in Path(tmp_path / "maps/toy").iterdir()) == [
        "summary.json",
        *(f"{NAME}{end}" for end in (".geojson", ".gpkg", ".json", ".probability.qml", ".probability.tif")),
    ]
