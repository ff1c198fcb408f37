"""The whole check on one small place, and how its result is shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from skred.check_world import check
from skred.check_world.check import Checked, Requirement
from skred.check_world.marginals import Line, size_distribution
from skred.check_world.table import as_json, markdown
from skred.cli import app
from skred.core.errors import InputError, SkredError
from skred.core.params import read_section
from skred.world.landslides import landslide_areas
from skred.world.noise import generator
from skred.world.params import WorldParams

ROOT = Path(__file__).parents[3]


def test_sizes_drawn_follow_the_distribution_that_they_are_tested_against():
    params = read_section(ROOT / "params.yaml", "world", WorldParams).landslides
    ends = size_distribution(params, np.array([params.area_min_m2, params.area_max_m2]))
    assert ends.tolist() == pytest.approx([0, 1])
    areas = np.sort(landslide_areas(params, generator(3), 5000))
    share = (np.arange(5000) + 0.5) / 5000
    assert np.abs(size_distribution(params, areas) - share).max() < 0.03


def _checked(seed, holds, value):
    found = (Line("found", "1", "0.5-0.8", value),)
    only_here = (Line("VV of bog", "dB", "-12", -12.0),) if seed == 8 else ()
    return Checked(seed, (Requirement("(a) hard enough", found, holds),), only_here, ())


def test_the_table_counts_seeds_and_leaves_gaps_where_a_world_lacks_a_class():
    text = markdown([_checked(7, True, 0.6), _checked(8, False, 0.9)])
    assert "| **(a) hard enough** | | | yes | NO | **1 of 2** |" in text
    assert "| VV of bog | dB | -12 | - | -12.0 | -12.0 |" in text
    assert "tuning" not in text
    assert "prove nothing" not in text and "proves nothing" in markdown([_checked(730, True, 0.6)])


def test_the_json_says_that_it_is_simulated_and_how_many_hold():
    table = as_json([_checked(7, True, 0.6), _checked(8, False, 0.9)])
    assert table["simulated"] is True
    assert table["requirements"]["(a) hard enough"]["holds_on"] == 1
    assert table["marginals"]["VV of bog"]["values"] == {"7": None, "8": -12.0}
    json.dumps(table, allow_nan=False)


def test_a_number_that_is_none_is_a_gap_in_the_table_and_null_in_the_json():
    text, table = markdown([_checked(8, True, float("nan"))]), as_json([_checked(8, True, float("nan"))])
    assert "| found | 1 | 0.5-0.8 | - |" in text
    assert table["requirements"]["(a) hard enough"]["measured"]["found"]["values"] == {"8": None}


def _arguments(tmp_path, *seeds):
    event = (ROOT / "data" / "events" / "develop.yaml").read_text(encoding="utf-8")
    for old, new in (("width_m: 10240", "width_m: 960"), ("height_m: 10240", "height_m: 960"), (": 150", ": 3")):
        assert old in event
        event = event.replace(old, new)
    (tmp_path / "develop.yaml").write_text(event, encoding="utf-8")
    arguments = ["world", "check", "--seeds", *seeds, "--event", str(tmp_path / "develop.yaml")]
    arguments += ["--params", str(ROOT / "params.yaml"), "--real", str(tmp_path / "none")]
    return [*arguments, "--json", str(tmp_path / "out.json")]


def test_a_seed_that_fails_leaves_the_others_their_tables(tmp_path, monkeypatch):
    def fails_on_6(setup, seed, report):
        if seed == 6:
            raise SkredError("no room for its landslides")
        return _checked(seed, True, 0.6)

    monkeypatch.setattr(check, "check_seed", fails_on_6)
    result = CliRunner().invoke(app, _arguments(tmp_path, "5", "6", "7"))
    assert isinstance(result.exception, SkredError) and "1 of 3 seeds failed: 6" in str(result.exception)
    assert "seed 6: failed: no room for its landslides" in result.stderr
    assert "| found | 1 | 0.5-0.8 | 0.60 | 0.60 |" in result.stdout
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["seeds"] == [5, 7]


def test_a_repeated_seed_is_refused(tmp_path):
    result = CliRunner().invoke(app, _arguments(tmp_path, "5", "6", "5"))
    assert isinstance(result.exception, InputError) and "5 is given twice" in str(result.exception)


def test_the_command_measures_a_small_place(tmp_path):
    result = CliRunner().invoke(app, _arguments(tmp_path, "5", "6"), catch_exceptions=False)
    assert result.exit_code == 0
    table = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert table["seeds"] == [5, 6]
    assert [name[:3] for name in table["requirements"]] == ["(a)", "(d)", "(f)", "(g)"]
    assert table["outcomes"] == {}
    radar = table["requirements"]["(f) a cloudier month harms optics and leaves radar alone"]["measured"]
    assert radar["a radar pass of each track is the same bytes"]["values"] == {"5": 1.0, "6": 1.0}
    assert "| requirement | unit | wanted | 5 | 6 | holds on |" in result.stdout
