"""The command for people: new events, imports, predictions and scores by path."""

import datetime as dt
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from skred import cli
from skred.core.errors import InputError
from skred.core.events import read_event
from skred.core.scenes import SceneFolder
from skred.detectors.cart.params import Params
from skred.detectors.train import Recipe, train_cell
from skred.event_files import new_event, pipeline_lines, write_event


@pytest.fixture
def skred(tmp_path, monkeypatch, capsys):
    """Run ``skred <arguments>`` in an empty folder; returns exit code, output, error output."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["skred", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return run


ROOT = Path(__file__).resolve().parents[3]
ADD = (
    "event",
    "add",
    "hans-2023",
    "--date",
    "2023-08-08",
    "--lon",
    "8.123456789",
    "--lat",
    "61.25",
    "--title",
    "Storm Hans",
)


def test_a_new_event_is_written_can_be_read_and_is_never_overwritten(skred, tmp_path):
    code, _, err = skred(*ADD)
    file = tmp_path / "data/events/hans-2023.yaml"
    assert (code, err) == (0, "")
    event = read_event(file)
    assert (event.date, event.pre.last, event.post.first) == (
        dt.date(2023, 8, 8),
        dt.date(2023, 8, 7),
        dt.date(2023, 8, 9),
    )
    assert (event.post.last - event.post.first).days == (event.pre.last - event.pre.first).days == 29
    assert event.area.center_lonlat == (8.123456789, 61.25)
    assert event.area.width_m == event.area.height_m == 20_000
    assert (event.role, event.source, event.simulation) == ("unseen", "sentinelhub", None)
    before = file.read_bytes()
    code, _, err = skred(*ADD)
    assert (code, err) == (2, "skred: data/events/hans-2023.yaml: is there already; edit it, or choose another name\n")
    assert file.read_bytes() == before


def test_the_lines_for_the_pipeline_name_the_event_wherever_it_must_stand(skred):
    _, out, _ = skred(*ADD)
    assert "  download-hans-2023:" in out
    assert "  composite-hans-2023:" in out
    assert "--inventory data/external/hans-2023/landslides.gpkg" in out
    assert "data/composites/hans-2023" in out[out.index("stages predict and evaluate") :]
    stages = yaml.safe_load(out[out.index("  download-hans") : out.index("dvc.yaml, stages predict")])
    assert set(stages) == {"download-hans-2023", "composite-hans-2023"}
    for stage in stages.values():
        assert set(stage) == {"cmd", "deps", "params", "outs"}
        assert stage["outs"][0] in stage["cmd"]
    real = yaml.safe_load((ROOT / "experiments/jolster-2019/dvc.yaml").read_text())["stages"]
    for name in ("download", "composite"):
        code = {dep for dep in real[name]["deps"] if dep.startswith("${src}")}
        assert {dep for dep in stages[f"{name}-hans-2023"]["deps"] if dep.startswith("${src}")} == code


@pytest.mark.parametrize("role", ["unseen", "control", "develop"])
def test_a_simulated_event_needs_one_line_of_parameters(skred, tmp_path, role):
    code, out, err = skred(*ADD, "--source", "simulated", "--role", role, "--seed", 9, "--landslides", 7)
    assert (code, err) == (0, "")
    event = read_event(tmp_path / "data/events/hans-2023.yaml")
    assert (event.simulation.seed, event.simulation.landslides) == (9, 0 if role == "control" else 7)
    assert "params.yaml, under `simulated:`:\n  - hans-2023" in out
    assert "download-hans" not in out
    assert ("data/truth/hans-2023.tif" in out) == (role == "unseen")
    assert ("params.yaml, under `patches:`" in out) == (role == "develop")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (("--date", "8 August"), "--date: got '8 August', wanted a day such as 2023-08-08"),
        (("--date", "2023-02-30"), "--date: got '2023-02-30', wanted a day such as 2023-08-08"),
        (("--role", "test"), "role: got 'test', wanted 'develop', 'unseen' or 'control'"),
        (("--source", "stac"), "source: got 'stac', wanted 'simulated' or 'sentinelhub'"),
        (("--lat", "91"), "area.center_lonlat: got (8.123456789, 91.0), wanted [longitude"),
        (("--size-km", "0"), "area.width_m: got 0.0, wanted greater than 0"),
        (("--window-days", "0"), "--window-days: got 0, wanted at least 1"),
        (("--title", ""), "title: got '', wanted string to have at least 1 character"),
    ],
)
def test_a_wrong_value_is_one_line_and_nothing_is_written(skred, tmp_path, changed, says):
    code, out, err = skred(*ADD, *changed)
    assert code == 2
    assert out == ""
    assert err.startswith("skred: ")
    assert err.count("\n") == 1
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_would_leave_the_folder_is_refused(skred, tmp_path):
    code, _, err = skred("event", "add", "../evil", *ADD[3:])
    assert code == 2
    assert "name: got '../evil'" in err
    assert list(tmp_path.iterdir()) == []


printable = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=40)


@given(
    title=printable,
    lon=st.floats(-180, 180),
    lat=st.floats(-80, 84),
    size_m=st.floats(10, 200_000),
    role=st.sampled_from(["develop", "unseen", "control"]),
    source=st.sampled_from(["simulated", "sentinelhub"]),
    days=st.integers(1, 60),
    date=st.dates(dt.date(2015, 6, 1), dt.date(2035, 1, 1)),
)
def test_what_is_written_is_what_is_read(tmp_path_factory, title, lon, lat, size_m, role, source, days, date):
    event = new_event(
        name="any-event",
        title=title,
        role=role,
        source=source,
        date=date,
        center_lonlat=(lon, lat),
        size_m=size_m,
        window_days=days,
        simulation={"seed": 3, "landslides": 0 if role == "control" else 4},
    )
    read = read_event(write_event(tmp_path_factory.mktemp("e"), event))
    assert read.area.center_lonlat == pytest.approx((lon, lat), rel=1e-11, abs=1e-11)
    assert read.area.width_m == pytest.approx(size_m, rel=1e-11)
    assert read.model_dump(exclude={"area"}) == event.model_dump(exclude={"area"})
    assert "any-event" in pipeline_lines(read)


def test_a_line_break_in_a_title_is_refused():
    values = {"name": "e", "role": "unseen", "source": "sentinelhub", "date": dt.date(2023, 8, 8), "simulation": {}}
    with pytest.raises(InputError, match="title: got"):
        new_event(title="two\nlines", center_lonlat=(8, 61), size_m=1000, window_days=3, **values)


def test_import_predict_and_evaluate_work_on_any_folder_by_path(skred, tmp_path, make_scenes, make_patch_folder):
    rng = np.random.default_rng(0)
    labels = np.zeros((128, 128), np.uint8)
    for row, col in rng.integers(0, 120, (30, 2)):
        labels[row : row + 7, col : col + 7] = 1
    values = np.stack([-0.8 * labels + rng.normal(0, 0.1, labels.shape), rng.normal(size=labels.shape)])
    make_scenes(tmp_path / "scenes", {"s": labels}, values={"s": values})
    make_patch_folder(tmp_path / "scenes", tmp_path / "patches")

    def report(step, row):
        pass

    params = Params(max_pixels=50_000, max_depth=4, min_leaf_pixels=5, seed=1)
    recipe = Recipe("toy-cart", "toy", ("dndvi", "post_vv"), "cart", params)
    train_cell(recipe, tmp_path / "patches", tmp_path / "scenes", tmp_path / "model", report)

    code, out, err = skred("predict", "--model", "model", "--scenes", "scenes", "--out", "p")
    assert (code, out, err) == (0, "p: 1 probability rasters\n", "")
    code, out, _ = skred("evaluate", "--model", "model", "--scenes", "scenes", "--probability", "p", "--out", "s.json")
    assert code == 0
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["f1"] > 0.95
    assert f"f1 {scores['f1']}" in out

    make_scenes(
        tmp_path / "other",
        {"s": labels},
        [b for b in _bands(tmp_path / "scenes") if b.name != "post_vv"],
        values={"s": values[:1]},
    )
    code, _, err = skred("predict", "--model", "model", "--scenes", "other", "--out", "q")
    assert (code, err.count("\n")) == (2, 1)
    assert "other: no band post_vv, which model (setting toy) needs; it has dndvi" in err
    in_other_unit = [b.model_copy(update={"unit": "linear power"}) for b in _bands(tmp_path / "scenes")]
    make_scenes(tmp_path / "power", {"s": labels}, in_other_unit, values={"s": values})
    code, _, err = skred("predict", "--model", "model", "--scenes", "power", "--out", "q")
    assert (code, err.count("\n")) == (2, 1)
    assert "power: band dndvi is in 'linear power', but model learned it in" in err
    code, _, err = skred("predict", "--model", "scenes", "--scenes", "scenes", "--out", "q")
    told = "scenes: no model, wanted one of: model"
    assert (code, err) == (2, f"skred: {told}\n")
    assert not (tmp_path / "q").exists()

    train_cell(replace(recipe, cell="other-cart"), tmp_path / "patches", tmp_path / "scenes", tmp_path / "m2", report)
    code, _, err = skred("evaluate", "--model", "m2", "--scenes", "scenes", "--probability", "p", "--out", "t.json")
    assert (code, err.count("\n")) == (2, 1)
    assert "made by another model (cell 'toy-cart', the model's is 'other-cart')" in err
    assert not (tmp_path / "t.json").exists()


def test_no_command_writes_over_a_folder_that_is_there(skred, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "field-notes.txt").write_text("irreplaceable")
    code, _, err = skred("predict", "--model", "model", "--scenes", "scenes", "--out", "mine")
    assert (code, err) == (
        2,
        "skred: mine: is there already; name another folder, or remove it if nothing in it is needed\n",
    )
    assert (tmp_path / "mine" / "field-notes.txt").read_text() == "irreplaceable"


def _bands(folder):
    return SceneFolder.open(folder).index.bands


def test_import_says_what_it_made_or_what_is_missing(skred):
    code, _, err = skred("import", "bands.yaml", "source", "out")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("skred: bands.yaml: cannot be read")


def test_check_in_a_folder_without_parameters(skred):
    code, _, err = skred("check")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("skred: params.yaml: cannot be read")


def test_compare_prints_the_table_and_what_follows_from_the_differences(skred, tmp_path):
    interval = {"mcc": 0.41, "mcc_low": 0.2, "mcc_high": 0.58}
    entry = {"simulated": True, "f1": 0.5, **interval, "no_interval": "f1 hangs on few blocks"}
    numbers = {"difference": 0.26, "low": 0.08, "high": 0.44, "p": 0.001, "p_corrected": 0.002}
    rows = {
        "sar-unet minus sar-cart": numbers | {"seeds": 5, "seeds_other": 1},
        "fusion-unet minus sar-unet": numbers | {"seeds": 1, "seeds_other": 5},
    }
    measured = {"where": "In the simulated world", "min_seeds": 5}
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/compare.json").write_text(json.dumps({"sar": {"unet": entry, "cart": entry | {"f1": None}}}))
    (tmp_path / "metrics/differences.json").write_text(json.dumps({"measured": measured, "differences": rows}))

    code, out, err = skred("compare", "--markdown")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:4] == [
        "| setting | detector | F1 | MCC |",
        "|---|---|---:|---:|",
        "| `sar` | unet | 0.50 | 0.41 [0.20, 0.58] |",
        "| `sar` | cart | – | 0.41 [0.20, 0.58] |",
    ]
    assert "No interval: F1 of `sar` unet (hangs on few blocks)." in lines
    best, deep = (line for line in lines if line.startswith("In the simulated world: "))
    assert "“setting 2 is best”: cannot tell. One training seed, wanted 5." in best
    assert "outperforms CART in setting 3”: holds. 5 training seeds. MCC, U-Net minus CART +0.26" in deep

    code, plain, _ = skred("compare", "metrics/compare.json")
    assert code == 0
    assert ["sar", "unet", "0.50", "0.41"] in [line.split() for line in plain.splitlines()]
    assert "[0.20" not in plain
    assert best in plain.splitlines()
    (tmp_path / "metrics/differences.json").unlink()
    code, alone, _ = skred("compare")
    assert (code, "In the simulated world" in alone, "sar " in alone) == (0, False, True)


def test_compare_of_what_is_no_comparison_ends_in_one_line(skred, tmp_path):
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "table.json").write_text(json.dumps({"sar": {"unet": {"simulated": True, "mcc": 0.4}}}))
    (tmp_path / "differences.json").write_text("[]")
    for file, says in {
        "elsewhere.json": "elsewhere.json: missing or not readable",
        ".": ".: is a folder",
        "empty.json": "empty.json: holds no settings and detectors",
        "table.json": "differences.json: holds no differences between cells",
    }.items():
        code, out, err = skred("compare", file)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"skred: {says}")
