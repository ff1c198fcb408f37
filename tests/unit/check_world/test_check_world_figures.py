"""Pictures of a place are written, and hold nothing but pixels."""

from __future__ import annotations

from pathlib import Path

from skred.check_world.composites import composite_world
from skred.check_world.figures import draw_all
from skred.composite.params import CompositeParams
from skred.core.events import Event, read_event
from skred.core.params import read_section
from skred.world.params import WorldParams
from skred.world.world import build_world

ROOT = Path(__file__).parents[3]


def test_every_picture_is_drawn_small_and_without_a_clock_or_a_version(tmp_path):
    table = read_event(ROOT / "data" / "events" / "develop.yaml").model_dump()
    table["area"] |= {"width_m": 960.0, "height_m": 960.0}
    table["simulation"] = {"seed": 5, "landslides": 3}
    world = build_world(read_section(ROOT / "params.yaml", "world", WorldParams), Event.model_validate(table))
    drawn = draw_all(
        world, composite_world(world, read_section(ROOT / "params.yaml", "composite", CompositeParams)), tmp_path
    )
    assert [path.name for path in drawn] == [
        f"world-{name}.png" for name in ("terrain", "optical", "radar", "composites", "confounders")
    ]
    for path in drawn:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG") and 10_000 < len(content) < 500_000
        assert not any(chunk in content for chunk in (b"tEXt", b"tIME", b"iTXt"))
