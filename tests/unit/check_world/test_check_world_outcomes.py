"""Outcomes are scored cell by cell, and each metric has its own prior."""

from __future__ import annotations

from pathlib import Path

import pytest

from skred.check_world.composites import composite_world
from skred.check_world.outcomes import Recipes, outcome_lines
from skred.composite.params import CompositeParams
from skred.core.events import Event, read_event
from skred.core.params import read_section
from skred.detectors.base import params_model
from skred.detectors.cells import Setting
from skred.patches.params import PatchParams
from skred.world.params import WorldParams
from skred.world.world import build_world

ROOT = Path(__file__).parents[3]
PARAMS = ROOT / "params.yaml"


@pytest.fixture(scope="module")
def scored():
    table = read_event(ROOT / "data" / "events" / "develop.yaml").model_dump()
    table["area"] |= {"width_m": 1920.0, "height_m": 1920.0}
    table["simulation"] = {"seed": 5, "landslides": 30}
    world = build_world(read_section(PARAMS, "world", WorldParams), Event.model_validate(table))
    settings = read_section(PARAMS, "settings", dict[str, Setting])
    small = {"window_px": 32, "stride_px": 16, "block_px": 48, "buffer_px": 16}
    recipes = Recipes(
        read_section(PARAMS, "patch", PatchParams).model_copy(update=small),
        {name: settings[name] for name in ("fusion", "sar")},
        {"cart": read_section(PARAMS, "cart", params_model("cart"))},
    )
    told: list[str] = []
    result = composite_world(world, read_section(PARAMS, "composite", CompositeParams))
    return {line.name: line for line in outcome_lines(recipes, world, result, told.append)}, told


def test_every_cell_has_f1_and_mcc_and_only_fusion_the_random_split(scored):
    lines, told = scored
    assert list(lines) == [
        "(b) fusion, cart: F1",
        "(b) fusion, cart: MCC",
        "(b) sar, cart: F1",
        "(b) sar, cart: MCC",
        "(e) fusion, cart, random split: F1",
        "(e) fusion, cart, random split: MCC",
        "(e) fusion, cart: MCC of random less that of blocked split",
    ]
    gap = lines["(e) fusion, cart, random split: MCC"].value - lines["(b) fusion, cart: MCC"].value
    assert lines["(e) fusion, cart: MCC of random less that of blocked split"].value == pytest.approx(gap)
    assert [line.split(":")[0] for line in told] == [
        "fusion, cart, blocks",
        "sar, cart, blocks",
        "fusion, cart, random",
    ]


def test_a_prior_stands_at_the_metric_it_is_of_and_nowhere_else(scored):
    wanted = {name: line.wanted for name, line in scored[0].items() if line.wanted != "-"}
    assert wanted == {"(b) fusion, cart: F1": "0.4-0.8", "(b) sar, cart: MCC": "0.2-0.6"}
