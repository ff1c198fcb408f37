"""Pictures of a place are written, and are the same bytes each time."""

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


def test_every_picture_is_drawn_and_drawn_again_alike(tmp_path):
    table = read_event(ROOT / "data" / "events" / "develop.yaml").model_dump()
    table["area"] |= {"width_m": 1280.0, "height_m": 1280.0}
    table["simulation"] = {"seed": 5, "landslides": 4}
    world = build_world(read_section(ROOT / "params.yaml", "world", WorldParams), Event.model_validate(table))
    result = composite_world(world, read_section(ROOT / "params.yaml", "composite", CompositeParams))
    first, second = draw_all(world, result, tmp_path / "a"), draw_all(world, result, tmp_path / "b")
    assert [path.name for path in first] == [
        f"world-{name}.png" for name in ("terrain", "optical", "radar", "composites", "confounders")
    ]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert 10_000 < one.stat().st_size < 500_000
