"""Pictures of a place are written, and hold nothing but pixels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from skred.check_world.composites import composite_world
from skred.check_world.false_alarms import DNDVI, SLOPE_DEG, false_pixel_lines
from skred.check_world.figures import draw_all
from skred.check_world.rule import rule
from skred.composite.params import CompositeParams
from skred.core.errors import InputError
from skred.core.events import Event, read_event
from skred.core.params import read_section
from skred.core.scenes import LANDSLIDE
from skred.world.confounders import Confounder
from skred.world.params import WorldParams
from skred.world.world import build_world

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def place():
    table = read_event(ROOT / "data" / "events" / "develop.yaml").model_dump()
    table["area"] |= {"width_m": 960.0, "height_m": 960.0}
    table["simulation"] = {"seed": 5, "landslides": 3}
    world = build_world(read_section(ROOT / "params.yaml", "world", WorldParams), Event.model_validate(table))
    return world, composite_world(world, read_section(ROOT / "params.yaml", "composite", CompositeParams))


def test_a_place_that_no_pass_covers_is_refused_in_one_line_and_leaves_no_picture(place, tmp_path):
    world, result = place
    partly = tuple(dataclasses.replace(one, footprint_share=0.9) for one in world.acquisitions())
    with pytest.raises(InputError, match="no whole pass of S2 covers the area"):
        draw_all(dataclasses.replace(world, _acquisitions=partly), result, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_false_pixels_lie_on_adds_up_to_all_of_them(place):
    world, result = place
    lines = false_pixel_lines(world, result, read_section(ROOT / "params.yaml", "composite", CompositeParams))
    found = rule(result.bands["dndvi"], result.bands["slope"], DNDVI, SLOPE_DEG)
    assert lines[0].value == (found & (result.labels != LANDSLIDE)).sum() > 0
    shares = [line.value for line in lines[1:] if "of those" not in line.name]
    assert len(shares) == len(Confounder) + 1 and sum(shares) == pytest.approx(100)


def test_every_picture_is_drawn_small_and_without_a_clock_or_a_version(place, tmp_path):
    drawn = draw_all(*place, tmp_path)
    assert [path.name for path in drawn] == [
        f"world-{name}.png" for name in ("terrain", "optical", "radar", "composites", "confounders")
    ]
    for path in drawn:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG") and 10_000 < len(content) < 1_000_000
        assert not any(chunk in content for chunk in (b"tEXt", b"tIME", b"iTXt"))
