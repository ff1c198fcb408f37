"""Every mistake in a parameter, event or band file is one line: the file, the key, what it got and what it wants."""

import copy
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from skred.checking import check_repository
from skred.core.bands import EVENT_BANDS, band_names, select
from skred.core.errors import InputError
from skred.core.events import Event, read_event
from skred.core.params import Section, parse, read_section
from skred.detectors.base import params_model
from skred.detectors.cells import Cell, Setting
from skred.importing import BandTable
from skred.patches.params import PatchParams

ROOT = Path(__file__).resolve().parents[3]
EVENT = {
    "name": "storm",
    "title": "A storm",
    "role": "develop",
    "source": "simulated",
    "date": "2019-07-30",
    "pre": {"first": "2019-06-30", "last": "2019-07-29"},
    "post": {"first": "2019-07-31", "last": "2019-08-29"},
    "area": {"center_lonlat": [6.3, 61.5], "width_m": 640, "height_m": 480},
    "simulation": {"seed": 1, "landslides": 5},
}
PATCH = {
    "window_px": 64,
    "stride_px": 32,
    "block_px": 128,
    "buffer_px": 32,
    "val_share": 0.2,
    "test_share": 0.25,
    "draws": 5,
    "seed": 1,
}
TABLE = {
    "name": "set",
    "title": "A set",
    "positive": "landslide",
    "images": {"rgb": "images/{id}.png"},
    "mask": "masks/{id}.png",
    "bands": {
        "red": {"image": "rgb", "meaning": "red", "unit": "1", "sensor": "optical", "clip": [0, 1]},
        "nir": {"image": "rgb", "channel": 2, "meaning": "nir", "unit": "1", "sensor": "optical", "clip": [0, 1]},
    },
    "derived": {
        "ndvi": {
            "normalised_difference": ["nir", "red"],
            "meaning": "ndvi",
            "unit": "1",
            "sensor": "optical",
            "clip": [-1, 1],
        }
    },
}
GONE = object()


def changed(data, key, value):
    data = copy.deepcopy(data)
    *path, last = key.split(".")
    inner = data
    for part in path:
        inner = inner[part]
    if value is GONE:
        del inner[last]
    else:
        inner[last] = value
    return data


def line_of(call):
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("rol", "develop", "rol: unknown key; remove it or correct its spelling"),
        ("area.width", 3, "area.width: unknown key; remove it or correct its spelling"),
        ("title", GONE, "title: missing; add this key"),
        ("area.width_m", GONE, "area.width_m: missing; add this key"),
        ("role", "unsen", "role: got 'unsen', wanted 'develop', 'unseen' or 'control'"),
        ("source", "stac", "source: got 'stac', wanted 'simulated' or 'sentinelhub'"),
        ("name", "Storm 1", "name: got 'Storm 1', wanted string to match pattern"),
        ("date", "30 July", "date: got '30 July', wanted a valid date"),
        ("date", "2019-07-29", "wanted pre.last (2019-07-29) before date (2019-07-29)"),
        ("date", "2019-07-31", "wanted post.first (2019-07-31) after date (2019-07-31)"),
        ("pre.first", "2019-07-30", "pre: wanted first (2019-07-30) not after last (2019-07-29)"),
        ("area.center_lonlat", [6.3, 99], "area.center_lonlat: got [6.3, 99], wanted [longitude -180..180, latitude"),
        ("area.center_lonlat", [361.0, 61], "area.center_lonlat: got [361.0, 61], wanted [longitude"),
        ("area.center_lonlat", [6.3, 61.5, 0], "area.center_lonlat: got [6.3, 61.5, 0], wanted tuple to have at most"),
        ("area.width_m", "wide", "area.width_m: got 'wide', wanted a valid number"),
        ("area.width_m", -5, "area.width_m: got -5, wanted greater than 0"),
        ("area.height_m", 1e9, "area.height_m: got 1000000000.0, wanted less than or equal to 200000"),
        ("area.width_m", float("nan"), "area.width_m: got nan, wanted a finite number"),
        ("area", 7, "area: got 7, wanted a valid dictionary"),
        ("simulation", GONE, "wanted a section 'simulation' with seed and landslides, because source is simulated"),
        ("simulation.landslides", 0, "wanted simulation.landslides 0 for role control and above 0 for every other"),
        ("role", "control", "wanted simulation.landslides 0 for role control"),
        ("simulation.seed", 1.5, "simulation.seed: got 1.5, wanted a valid integer"),
        ("simulation.seed", True, "simulation.seed: got True, wanted a number"),
        ("source", "sentinelhub", "wanted no section 'simulation', because source is sentinelhub"),
    ],
)
def test_a_mistake_in_an_event_file(tmp_path, key, value, line):
    file = tmp_path / "storm.yaml"
    file.write_text(yaml.safe_dump(changed(EVENT, key, value)))
    got = line_of(lambda: read_event(file))
    assert got.startswith(f"{file}: ")
    assert line in got


def test_a_right_event_file_is_read_and_cannot_be_changed(tmp_path):
    (tmp_path / "storm.yaml").write_text(yaml.safe_dump(EVENT))
    event = read_event(tmp_path / "storm.yaml")
    assert event == Event.model_validate(EVENT)
    with pytest.raises(ValidationError, match="frozen"):
        event.name = "other"


def test_an_event_in_a_file_of_another_name(tmp_path):
    (tmp_path / "flood.yaml").write_text(yaml.safe_dump(EVENT))
    line = line_of(lambda: read_event(tmp_path / "flood.yaml"))
    assert line == f"{tmp_path / 'flood.yaml'}: name: got 'storm', wanted 'flood', the name of the file"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("date: 2019-02-30", "not YAML (day is out of range"),
        ("a: [1", "not YAML ("),
        ("a: b: c", "not YAML ("),
        ("\tx: 1", "not YAML ("),
        ("", "got None, wanted a valid dictionary"),
        ("- a", "got ['a'], wanted a valid dictionary"),
    ],
)
def test_a_file_that_is_no_event_at_all(tmp_path, text, says):
    (tmp_path / "storm.yaml").write_text(text)
    assert says in line_of(lambda: read_event(tmp_path / "storm.yaml"))


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    assert "cannot be read" in line_of(lambda: read_event(tmp_path / "none.yaml"))
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in line_of(lambda: read_event(tmp_path / "bytes.yaml"))


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("patch.windw_px", 64, "patch.windw_px: unknown key; remove it or correct its spelling"),
        ("patch.seed", GONE, "patch.seed: missing; add this key"),
        ("patch.window_px", "big", "patch.window_px: got 'big', wanted a valid integer"),
        ("patch.window_px", 8, "patch.window_px: got 8, wanted greater than or equal to 16"),
        ("patch.val_share", 1.0, "patch.val_share: got 1.0, wanted less than 1"),
        ("patch.val_share", 0.8, "patch: val_share + test_share: got 1.05, wanted less than 1"),
        ("patch.buffer_px", 31, "patch: buffer_px: got 31, wanted at least half of window_px (64)"),
        ("patch.block_px", 32, "patch: block_px: got 32, wanted at least window_px (64)"),
        ("patch", [1], "patch: got [1], wanted a valid dictionary"),
        ("patch", GONE, "patch: missing; add this key"),
        ("unett", {}, "unett: unknown section; wanted one of simulated,"),
    ],
)
def test_a_mistake_in_a_section_of_params(tmp_path, key, value, line):
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(changed({"patch": PATCH, "cart": {}}, key, value)))
    assert line_of(lambda: read_section(file, "patch", PatchParams)).startswith(f"{file}: {line}")


def test_a_section_of_the_right_kind(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump({"patch": PATCH, "settings": {"sar": ["pre_vv"]}}))
    assert read_section(file, "patch", PatchParams).window_px == 64
    assert read_section(file, "settings.sar", Setting) == ("pre_vv",)
    assert line_of(lambda: read_section(file, "settings.full", Setting)).endswith(
        "settings.full: missing; add this key"
    )


def test_several_mistakes_are_counted(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump({"patch": {**PATCH, "seed": -1, "draws": 0}}))
    assert line_of(lambda: read_section(file, "patch", PatchParams)).endswith("(and 1 more)")


def test_a_long_value_is_cut(tmp_path):
    line = line_of(lambda: parse(dict[str, Cell], {"a": "x" * 500}, file=tmp_path, key="cells"))
    assert len(line) < 250


def test_a_switch_is_no_number_but_a_switch_where_one_is_wanted():
    class Model(Section):
        epochs: int
        rate: float
        augment: bool

    assert Model(epochs=1, rate=1, augment=True).augment
    for wrong in ({"epochs": True}, {"rate": False}):
        with pytest.raises(ValidationError, match="a number"):
            Model(**{"epochs": 1, "rate": 1.0, "augment": True, **wrong})


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("bands.red.clip", [1, 0], "bands.red.clip: got [1, 0], wanted [low, high] with low < high"),
        ("bands.red.channel", 0, "bands.red.channel: got 0, wanted greater than or equal to 1"),
        ("bands.red.sensor", "sonar", "bands.red.sensor: got 'sonar', wanted 'optical', 'radar' or 'terrain'"),
        ("bands.red.image", "nir", "wanted band red: image to be one of rgb, not 'nir'"),
        ("bands.Pre-VV", TABLE["bands"]["red"], "bands.Pre-VV: got 'Pre-VV', wanted string to match pattern"),
        ("derived.ndvi.difference", ["nir", "red"], "derived.ndvi: wanted exactly one of normalised_difference and"),
        ("derived.ndvi.normalised_difference", ["nir", "swir"], "wanted derived band ndvi: bands above it (red, nir)"),
        ("derived.red", TABLE["derived"]["ndvi"], "wanted derived band red: another name; this one is taken"),
        ("images.rgb", "images/{id}/{id}.png", "the path pattern of rgb ('images/{id}/{id}.png') to hold {id} once"),
        ("mask", "mask.png", "the path pattern of mask ('mask.png') to hold {id} once"),
        ("splits", {"val": "tset"}, "splits.val: got 'tset', wanted 'train', 'val' or 'test'"),
        ("bands", {}, "bands: got {}, wanted dictionary to have at least 1 item"),
    ],
)
def test_a_mistake_in_a_band_table(key, value, line):
    got = line_of(lambda: parse(BandTable, changed(TABLE, key, value), file=Path("bands.yaml")))
    assert got.startswith("bands.yaml: ")
    assert line in got


def test_a_right_band_table_describes_its_bands_in_order():
    assert band_names(parse(BandTable, TABLE, file=Path("bands.yaml")).described()) == ("red", "nir", "ndvi")


def test_bands_are_chosen_by_name_and_unknown_or_double_ones_named():
    assert band_names(select(EVENT_BANDS, ["slope", "dndvi"], where="s")) == ("slope", "dndvi")
    assert "settings.x: no band called ndwi; there are post_red" in line_of(
        lambda: select(EVENT_BANDS, ["dndvi", "ndwi"], where="settings.x")
    )
    assert "dndvi named twice" in line_of(lambda: select(EVENT_BANDS, ["dndvi", "dndvi"], where="settings.x"))


def test_there_are_thirteen_bands_of_an_event():
    assert len(set(band_names(EVENT_BANDS))) == 13


UNET = yaml.safe_load((ROOT / "params.yaml").read_text())["unet"]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("crop_px", 60, "unet: crop_px: got 60, wanted a multiple of 2^depth"),
        ("predict_window_px", 100, "unet: predict_window_px: got 100, wanted a multiple of 2^depth"),
        (
            "predict_margin_px",
            4096,
            "unet: predict_window_px: got 320, wanted more than twice predict_margin_px",
        ),
        ("loss", "mse", "unet.loss: got 'mse', wanted 'bce', 'bce_dice' or 'focal'"),
        ("epochs", True, "unet.epochs: got True, wanted a number"),
    ],
)
def test_a_mistake_in_a_detectors_section(key, value, line):
    data = {**UNET, key: value}
    assert line_of(lambda: parse(params_model("unet"), data, file=Path("p"), key="unet")).startswith(f"p: {line}")


def test_a_detector_that_does_not_exist():
    assert "wanted one of unet, cart" in line_of(lambda: params_model("jungle"))


def test_the_parameters_of_this_repository_are_fine(repository):
    fine, mistakes = check_repository(repository)
    assert len(fine) >= 4
    assert mistakes == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("fusion: [dndvi", "fusion: [ndwi", "settings.fusion: no band called ndwi"),
        (
            "sar-cart: {setting: sar,",
            "sar-cart: {setting: radar,",
            "cells.sar-cart.setting: got 'radar', wanted one of",
        ),
        ("detector: cart, patches: develop}", "detector: jungle, patches: develop}", "detector: got 'jungle'"),
        ("detector: cart, patches: develop}", "detector: cart, patches: devel}", "patches: got 'devel', wanted one of"),
        ("split: random", "split: kind", "patches.develop-random.split: got 'kind', wanted 'blocks'"),
        ("  - control\n", "  - controll\n", "simulated: got 'controll', wanted the name of a file"),
        ("\nunet:\n", "\nunett:\n", "unett: unknown section"),
        ("  workers: 4", "  workers: four", "download.workers: got 'four'"),
        ("  max_depth: 20", "  max_dept: 20", "cart.max_dept: unknown key"),
        ("  fusion: [dndvi, pre_vv, post_vv]", "  fusion: []", "settings.fusion: got [], wanted"),
        ("  - control\n", "  - develop\n", "simulated: develop is there twice"),
        ("  - control\n", "  - jolster-2019\n", "jolster-2019 has source sentinelhub, not simulated"),
        ("  develop: {scenes: develop", "  develop: {scenes: devlop", "patches.develop.scenes: got 'devlop'"),
        ("  sar-cart: {", "  Sar Cart: {", "cells: got the name 'Sar Cart', wanted small letters"),
    ],
)
def test_check_finds_what_no_stage_would_see_before_it_runs(repository, old, new, says):
    file = repository / "params.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    _, mistakes = check_repository(repository)
    assert any(says in mistake for mistake in mistakes)


def test_check_finds_a_day_without_a_composite_in_the_study_of_days(repository):
    file = repository / "experiments" / "days" / "params.yaml"
    file.write_text(file.read_text().replace("days: [1, 3, 7", "days: [1, 7").replace("min_clear: 1", "min_clear: 0"))
    _, mistakes = check_repository(repository)
    assert any("cells.sar-unet-3.days: got 3, wanted one of 1, 7" in mistake for mistake in mistakes)
    assert any("composite.optical.min_clear: got 0" in mistake for mistake in mistakes)


def test_check_finds_every_mistake_and_not_only_the_first(repository):
    file = repository / "params.yaml"
    text = file.read_text().replace("max_depth: 20", "max_depth: twenty").replace("  depth: 3", "  depth: three")
    file.write_text(text)
    _, mistakes = check_repository(repository)
    keys = [mistake.split(": ")[1] for mistake in mistakes]
    assert keys == ["unet.depth", "cart.max_depth", "cart_context.max_depth"]


def test_check_lists_all_mistakes_of_one_section_and_of_one_event(repository):
    file = repository / "params.yaml"
    file.write_text(
        file.read_text().replace("  max_depth: 20", "  max_dept: 20").replace("  workers: 4", "  workers: x")
    )
    event = repository / "data" / "events" / "unseen.yaml"
    event.write_text(event.read_text().replace("role: unseen", "role: none").replace("source: simulated", "source: no"))
    _, mistakes = check_repository(repository)
    keys = [mistake.removeprefix(f"{repository}/").split(": ")[:2] for mistake in mistakes]
    assert ["params.yaml", "cart.max_dept"] in keys
    assert ["params.yaml", "cart.max_depth"] in keys
    assert ["params.yaml", "download.workers"] in keys
    assert [key for name, key in keys if name == "data/events/unseen.yaml"] == ["role", "source"]
    assert not any("more)" in mistake for mistake in mistakes)


def test_check_names_a_day_that_there_is_not(repository):
    event = repository / "data" / "events" / "unseen.yaml"
    day = re.search(r"(?m)^date: (\S+)", event.read_text())[1]
    event.write_text(event.read_text().replace(f"date: {day}", "date: 2021-02-30"))
    _, mistakes = check_repository(repository)
    assert [m.split(": ", 1)[1] for m in mistakes if "unseen.yaml" in m and "date" in m] == [
        "date: got 2021-02-30, wanted a day that there is, such as 2019-07-30"
    ]


def test_check_of_one_file_looks_at_no_other(repository):
    (repository / "params.yaml").write_text("worlds: 3\n")
    fine, mistakes = check_repository(repository, repository / "experiments" / "seeds" / "params.yaml")
    assert (len(fine), mistakes) == (1, [])
    _, mistakes = check_repository(repository, repository / "nothing.yaml")
    assert "nothing.yaml: cannot be read" in mistakes[0]


def start(*arguments, cwd):
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_real_command_ends_with_2_and_one_line(repository):
    (repository / "params.yaml").write_text("patch: {seed: 1}\nworlds: 3\n")
    done = start("-c", "from skred.cli import main; main()", "check", cwd=repository)
    assert done.returncode == 2
    assert re.fullmatch(r"skred: params\.yaml: worlds: unknown section; wanted one of [^\n]*\n", done.stderr)


def test_a_real_stage_ends_with_2_and_one_line_and_writes_nothing(tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"patch": {**PATCH, "window_px": -1}}))
    before = sorted(tmp_path.rglob("*"))
    arguments = ("--params", "params.yaml", "--scenes", "scenes", "--split", "blocks", "--out", "patches")
    done = start("-m", "skred.stages.patch", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "skred: params.yaml: patch.window_px: got -1, wanted greater than or equal to 16\n"
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("study", "differs"),
    [
        ("seeds", {}),
        ("optimism", {}),
        ("days", {"composite.radar.min_passes": 1}),
        ("baselines", {"forest.max_pixels": 600_000}),
        ("ensembles", {"unet.members": 5}),
    ],
)
def test_a_study_of_the_root_pipeline_has_its_numbers_but_for_what_it_studies(study, differs):
    root, own = (
        yaml.safe_load(file.read_text()) for file in (ROOT / "params.yaml", ROOT / f"experiments/{study}/params.yaml")
    )
    for keys, value in differs.items():
        *sections, key = keys.split(".")
        section = functools.reduce(dict.__getitem__, sections, root)
        assert section[key] != value
        section[key] = value
    settings = own.pop("settings", {})
    assert settings == {name: root["settings"][name] for name in settings}
    shared = (set(own) & set(root)) - {"cells", "patches"}
    assert shared
    assert {name: own[name] for name in shared} == {name: root[name] for name in shared}
    patches = own.get("patches", {})
    assert patches == {name: root["patches"][name] for name in patches}
