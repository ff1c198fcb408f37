"""`skred check`: no key that nobody reads, no setting that its detector cannot use, and one line on any file at all."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from skred import cli
from skred.checking import _NEEDED_BANDS, check_repository
from skred.core.bands import EVENT_BANDS, band_names
from skred.core.errors import InputError
from skred.detectors.base import DETECTORS, params_model
from skred.detectors.inputs import fit_inputs
from skred.detectors.rule import detector as rule

IMPORTANCE = "importance: {block_px: 64, nearby_blocks: 3, repeats: 5, replicates: 999, seed: 1}\n"


def mistakes(repository, file="params.yaml"):
    """What is said of a file, without its name."""
    found = check_repository(repository, repository / file if file.endswith("params.yaml") else None)[1]
    assert all("\n" not in line for line in found)
    return [line.removeprefix(f"{repository / file}: ") for line in found if line.startswith(f"{repository / file}: ")]


def change(repository, old, new, file="params.yaml"):
    text = (repository / file).read_text()
    assert old in text
    (repository / file).write_text(text.replace(old, new, 1))


def nested(data, above=()):
    """The path of every mapping whose keys are names that skred gives."""
    if isinstance(data, dict):
        yield above
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        yield from nested(value, (*above, key))


def dotted(path):
    return ".".join(map(str, path))


PARAMS = yaml.safe_load((Path(__file__).resolve().parents[3] / "params.yaml").read_text())
FREE = {(), ("cells",), ("settings",), ("patches",)}  # people name what is in these; () is every section


@pytest.mark.parametrize("where", [path for path in nested(PARAMS) if path not in FREE], ids=dotted)
def test_no_mapping_takes_a_key_that_nobody_reads(repository, where):
    data = yaml.safe_load((repository / "params.yaml").read_text())
    inner = data
    for key in where:
        inner = inner[key]
    inner["foo"] = 1
    (repository / "params.yaml").write_text(yaml.safe_dump(data))
    assert f"{dotted((*where, 'foo'))}: unknown key; remove it or correct its spelling" in mistakes(repository)


@pytest.mark.parametrize("study", ["importance", "days"])
def test_a_study_is_read_whole(repository, study):
    file = f"experiments/{study}/params.yaml"
    change(repository, "detector: unet", "detektor: unet", file)
    with (repository / file).open("a") as more:
        more.write("unet: {foo: 1}\nmap: {foo: 1}\n")
    found = mistakes(repository, file)
    for key in ("unet.foo", "map.foo"):
        assert f"{key}: unknown key; remove it or correct its spelling" in found
    assert any(line.startswith("cells.") and ".detektor: unknown key" in line for line in found)


@pytest.mark.parametrize("section", [IMPORTANCE, "days: [1]\n"])
def test_a_section_of_a_study_hides_nothing_of_the_rest(repository, section):
    change(repository, "  workers: 4", "  workers: x")
    change(repository, "setting: sar, detector: cart", "setting: radar, detector: cart")
    with (repository / "params.yaml").open("a") as more:
        more.write(section)
    found = " ".join(mistakes(repository))
    assert "download.workers: got 'x', wanted a whole number" in found
    assert "cells.sar-cart.setting: got 'radar', wanted one of" in found


@pytest.mark.parametrize(
    ("bands", "missing"), [("[dndvi]", "slope"), ("[slope]", "dndvi"), ("[pre_vv, post_vv]", "dndvi and slope")]
)
def test_a_detector_is_given_the_bands_that_it_needs(repository, bands, missing):
    change(repository, "  change: [dndvi, slope]", f"  change: {bands}")
    assert mistakes(repository) == [
        f"cells.change-rule.setting: change has {bands[1:-1]}, but detector rule wants {missing} too; "
        "add to settings.change, or name another setting"
    ]


def test_the_table_of_needed_bands_is_the_detectors_own():
    """Without any of them the rule refuses to train, and with them alone it trains."""
    needed = _NEEDED_BANDS["rule"]

    def train(names):
        bands = [band for band in EVENT_BANDS if band.name in names]
        inputs = fit_inputs(bands, [np.linspace(-1, 1, 16, dtype=np.float32)] * len(bands))
        x = np.zeros((1, 4, 4, inputs.channels), np.float32)
        pixels = (x, np.eye(4, dtype=bool)[None], np.ones((1, 4, 4), bool))
        validation = SimpleNamespace(pixels=lambda: pixels)
        training = SimpleNamespace(inputs=inputs, validation=validation, report=lambda *_: None)
        return rule.fit(training, params_model("rule")(slopes_deg=(5,)))

    assert train(needed).chosen == {"slope_deg": 5}
    for band in needed:
        with pytest.raises(InputError, match=f"no band {band} among"):
            train(set(band_names(EVENT_BANDS)) - {band})
    assert set(_NEEDED_BANDS) <= set(DETECTORS)


def test_an_empty_list_of_events_or_days_has_none_of_those_that_are_named(repository):
    change(repository, "  - develop\n  - unseen\n  - control\n", "  []\n")
    assert "patches.develop.scenes: got 'develop', wanted one of " in mistakes(repository)
    change(repository, "days: [1, 3, 7, 13, 19, 25, 30]", "days: []", "experiments/days/params.yaml")
    assert "cells.sar-unet-1.days: got 1, wanted one of " in mistakes(repository, "experiments/days/params.yaml")


@pytest.fixture
def check(monkeypatch, capsys, tmp_path):
    """Run ``skred check --params FILE``; returns its exit code and what it says of the file."""
    monkeypatch.chdir(tmp_path)

    def run(file):
        monkeypatch.setattr(sys, "argv", ["skred", "check", "--params", str(file)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        return ended.value.code, captured.err.strip().removeprefix(f"skred: {file}: ")

    return run


WANTED = "wanted a mapping of sections such as 'patch:'"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", f"got no key at all, {WANTED}"),
        (b"# only a comment\n", f"got no key at all, {WANTED}"),
        (b"- importance\n- days\n", f"got a list, {WANTED}"),
        (b"7\n", f"got a single value, {WANTED}"),
        (b"importance of days\n", f"got a single value, {WANTED}"),
        (b"a: 1\0\n", "not YAML (unacceptable character #x0000"),
        (b"\xff\xfe", "cannot be read ('utf-8' codec"),
        (b"patch:\n\tseed: 1\n", "not YAML (while scanning for the next token found character '\\t'"),
        (b"a: 1\n---\nb: 2\n", "not YAML (expected a single document"),
        (b"? [a]\n: 1\n", "not YAML (while constructing a mapping"),
        (b"[" * 5000, "keys within keys without end; wanted a few levels"),
        (b"cells: &c {a: *c}\n", "keys within keys without end; wanted a few levels"),
        (b'"new\\nline": 1\n', "new line: unknown section"),
    ],
    ids=lambda value: repr(value)[:24] if isinstance(value, bytes) else "",
)
def test_any_file_at_all_is_told_in_one_line(check, tmp_path, content, says):
    (tmp_path / "p.yaml").write_bytes(content)
    code, line = check("p.yaml")
    assert code == 2
    assert line.startswith(says)


def test_a_folder_and_a_file_that_is_not_there(check, tmp_path):
    (tmp_path / "folder").mkdir()
    assert check("folder") == (2, "cannot be read ([Errno 21] Is a directory: 'folder'); wanted a YAML file")
    assert check("none.yaml")[1].startswith("cannot be read ([Errno 2] No such file")
    assert check("x" * 300)[1].startswith("cannot be read ([Errno 36] File name too long")


def test_a_file_beside_it_that_cannot_be_looked_at(repository):
    change(repository, "  - control\n", f"  - {'x' * 300}\n")
    (line,) = mistakes(repository)
    assert line.startswith(f"needs {repository}/data/events/xxx")
    assert line.endswith("which cannot be read (File name too long); mend its name or your access")


def test_folders_that_may_not_be_read(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied", "data")

    monkeypatch.setattr(Path, "glob", refused)  # rights of files do not bind root, who may run this test
    with pytest.raises(InputError, match=r"^folder data: cannot be read \(Permission denied\); mend your access$"):
        check_repository(tmp_path)


def test_a_key_that_stands_twice(repository):
    lines = (repository / "params.yaml").read_text().splitlines()
    change(repository, "  epochs: 10", "  epochs: 3\n  epochs: 10")
    with (repository / "params.yaml").open("a") as more:
        more.write(f"report: {yaml.safe_dump(PARAMS['report'], default_flow_style=True)}")
    last, epochs = len(lines) + 2, next(i for i, line in enumerate(lines, 1) if line.startswith("  epochs: 10"))
    report = lines.index("report:") + 2
    assert mistakes(repository) == [
        f"unet.epochs: there twice, in lines {epochs} and {epochs + 1}; wanted each key once: remove one",
        f"report: there twice, in lines {report} and {last}; wanted each key once: remove one",
    ]


@pytest.mark.parametrize(
    ("file", "read_by"),
    [
        ("data/events/unseen.yaml", "data/events/unseen.yaml"),
        ("experiments/flood-s1s2/bands.yaml", "experiments/flood-s1s2/bands.yaml"),
    ],
)
def test_a_key_that_stands_twice_in_an_event_or_band_table(repository, file, read_by):
    with (repository / file).open("a") as more:
        more.write("title: Another\n")
    assert [line.split(",")[0] for line in mistakes(repository, read_by)] == ["title: there twice"]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("rule.slopes_deg", 5, "got 5, wanted a list"),
        ("rule.slopes_deg", [], "got [], wanted 1 or more values"),
        ("rule.slopes_deg", ["x"], ".0: got 'x', wanted a number"),
        ("settings.sar", "pre_vv", "got 'pre_vv', wanted a list"),
        ("settings.sar", [1], ".0: got 1, wanted text"),
        ("settings", [1], "got [1], wanted a mapping of names to values"),
        ("cells.sar-unet", "x", "got 'x', wanted a mapping of names to values"),
        ("patches.develop", 1, "got 1, wanted a mapping of names to values"),
        ("world.orbits.radar", 3, "got 3, wanted a list"),
        ("world.spectra.water", [0] * 5, "got [0, 0, 0, 0, 0], wanted 4 values at most"),
        ("map", [1], "got [1], wanted a mapping of names to values"),
        ("map.cells", "full-unet", "got 'full-unet', wanted a list"),
        ("map.polygons", None, "got None, wanted a mapping of names to values"),
        ("simulated", "develop", "got 'develop', wanted a list"),
        ("unet.augment", "x", "got 'x', wanted true or false"),
        ("unet.depth", 1.5, "got 1.5, wanted a whole number"),
        ("unet.depth", "x", "got 'x', wanted a whole number"),
    ],
)
def test_what_is_wanted_is_told_in_plain_words(repository, key, value, says):
    data = yaml.safe_load((repository / "params.yaml").read_text())
    *path, last = key.split(".")
    inner = data
    for part in path:
        inner = inner[part]
    inner[last] = value
    (repository / "params.yaml").write_text(yaml.safe_dump(data))
    assert mistakes(repository) == [f"{key}{says}" if says.startswith(".") else f"{key}: {says}"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("role: unseen", "role: unseen\ntitel: x", "titel: unknown key; remove it or correct its spelling"),
        ("name: unseen", "name: Un Seen", "name: got 'Un Seen', wanted text that matches ^[a-z][a-z0-9-]*$"),
        ("date: ", "date: x", "wanted a day such as 2019-07-30"),
    ],
)
def test_a_mistake_in_an_event_is_told_in_plain_words(repository, old, new, says):
    change(repository, old, new, "data/events/unseen.yaml")
    assert says in " ".join(mistakes(repository, "data/events/unseen.yaml"))
