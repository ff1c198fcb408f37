"""The helper functions and visualizers give what the examples of the service's documentation say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skred.hub.engine import Engine

EMPTY = "//VERSION=3\n"
VALUES = "[1, 3, 5, 7, 10], [100, 300, 500, 700, 900]"
CURVE = "[-10, -5, 0, 5, 10], [-1000, -50, 0, 50, 1000]"
RED_TO_BLUE = "new ColorRampVisualizer([[200, 0xff0000], [300, 0x0000ff]])"
TRIPLETS = "new ColorRampVisualizer([[200, [1, 0, 0]], [300, [0, 0, 1]]])"
MAP = "new ColorMapVisualizer([[200, 0xff0000], [300, 0x0000ff]])"
CLOUDS = "new HighlightCompressVisualizer(0.1, 0.4)"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(EMPTY, script_seconds=60, script_bytes=2**27) as engine:
        yield engine


@pytest.mark.parametrize(
    ("code", "gives"),
    [
        ("index(0.6, 0.4)", 0.2),
        ("index(0.5, -0.5)", 0),
        ("inverse(5)", 0.2),
        ("inverse(0)", 1.7976931348623157e308),
        (f"valueMap(5, {VALUES})", 500),
        (f"valueMap(1, {VALUES})", 100),
        (f"valueMap(2, {VALUES})", 300),
        (f"valueMap(12, {VALUES})", 900),
        ("valueMap(50)", 50),
        (f"valueInterpolate(0, {CURVE})", 0),
        (f"valueInterpolate(-10, {CURVE})", -1000),
        (f"valueInterpolate(9, {CURVE})", 810),
        (f"valueInterpolate(-99, {CURVE})", -1000),
        (f"valueInterpolate(99, {CURVE})", 1000),
        ("valueInterpolate(50)", 50),
        ("valueInterpolate(0.1, [0, 0.2, 0.4], [[0, 0, 0], [0.1, 0.2, 0.5], [0.25, 0.4, 0.5]])", [0.05, 0.1, 0.25]),
        ("colorBlend(0.1, [0, 0.2], [[0, 0, 0], [0.1, 0.2, 0.5]])", [0.05, 0.1, 0.25]),
        ("int2rgb(255)", [0, 0, 255]),
        ("int2rgb(256)", [0, 1, 0]),
        ("int2rgb(65537)", [1, 0, 1]),
        ("rgb2int([0, 0, 255])", 255),
        ("rgb2int([1, 0, 1])", 65537),
        ("normalizeRGB([255, 51, 0])", [1, 0.2, 0]),
        ("combine([100, 0, 0], [0, 100, 0], 1)", [100, 0, 0]),
        ("combine([100, 0, 0], [0, 100, 0], 0.5)", [50, 50, 0]),
        (f"{MAP}.process(199)", [1, 0, 0]),
        (f"{MAP}.process(299)", [1, 0, 0]),
        (f"{MAP}.process(300)", [0, 0, 1]),
        ("ColorMapVisualizer.createDefaultColorMap().process(0.45)", [0.2, 1, 1]),
        *((f"{ramp}.process(199)", [1, 0, 0]) for ramp in (RED_TO_BLUE, TRIPLETS)),
        *((f"{ramp}.process(250)", [128 / 255, 0, 128 / 255]) for ramp in (RED_TO_BLUE, TRIPLETS)),
        *((f"{ramp}.process(299)", [3 / 255, 0, 252 / 255]) for ramp in (RED_TO_BLUE, TRIPLETS)),
        (f"{RED_TO_BLUE}.process(300)", [0, 0, 1]),
        (f"{RED_TO_BLUE}.inverse().process(200)", [0, 0, 1]),
        ("new ColorRampVisualizer([[0, 0xff0000], [1, 0x0000ff]], 200, 300).process(300)", [0, 0, 1]),
        (
            "new ColorRampVisualizer([[0, 0xff0000], [1, 0x0000ff]], undefined, 100).process(50)",
            [128 / 255, 0, 128 / 255],
        ),
        *(
            (f"Color{kind}Visualizer.createRedTemperature(0, 1).process({value})", [part / 255 for part in color])
            for kind in ("Ramp", "Gradient")
            for value, color in (
                (0, [0, 0, 0]),
                (0.3, [110, 0, 0]),
                (0.5, [183, 12, 0]),
                (0.8, [255, 158, 51]),
                (1, [255, 255, 255]),
            )
        ),
        ("ColorRampVisualizer.createWhiteGreen(0, 1).process(0.3)", [0, 76 / 255, 0]),
        ("ColorRampVisualizer.createWhiteGreen(0, 1).process(0.8)", [170 / 255, 204 / 255, 85 / 255]),
        ("ColorRampVisualizer.createBlueRed(0, 1).process(0)", [0, 0, 128 / 255]),
        ("ColorRampVisualizer.createBlueRed(0, 1).process(0.3)", [0, 179 / 255, 1]),
        ("ColorRampVisualizer.createBlueRed(0, 1).process(0.8)", [1, 76 / 255, 0]),
        ("ColorRampVisualizer.createOceanColor(0, 1).process(0.2)", [0, 10 / 255, 1]),
        (f"{CLOUDS}.process(0)", 0),
        (f"{CLOUDS}.process(0.25)", 0.5),
        (f"{CLOUDS}.process(0.376)", 0.92),
        (f"{CLOUDS}.process(0.4)", 0.9259259259259259),
        (f"{CLOUDS}.process(0.7)", 1),
        (f"{CLOUDS}.processList([0.1, 0.25, 1.1])", [0, 0.5, 1]),
        ("new HighlightCompressVisualizer(0, 1).process(0.96)", 0.96),
        ("new HighlightCompressVisualizer(0, 2, 1, 0, 2).process(1)", 0.25),
        ("new HighlightCompressVisualizerSingle(0.1, 0.4).process(0.25)", [0.5]),
        ("redTemperature[1]", [0.525, 0xAE0000]),
    ],
)
def test_an_example_gives_what_the_documentation_says(engine: Engine, code: str, gives: Any) -> None:
    assert np.allclose(engine.json(code), gives, rtol=1e-12, atol=1e-12)


@given(st.floats(-20, 20), st.lists(st.floats(-10, 10), min_size=2, max_size=6, unique=True))
def test_interpolation_is_that_of_numpy(engine: Engine, value: float, places: list[float]) -> None:
    places = sorted(places)
    heights = [math.sin(place) for place in places]
    got = engine.json(f"valueInterpolate({value!r}, {json.dumps(places)}, {json.dumps(heights)})")
    assert math.isclose(float(got), float(np.interp(value, places, heights)), abs_tol=1e-9)


def test_a_script_may_declare_any_of_the_names_itself() -> None:
    script = "let index = 1; const inverse = 2; class ColorMapVisualizer {} function combine() { return 3; }"
    with Engine(EMPTY + script, script_seconds=60, script_bytes=2**27) as engine:
        assert engine.json("[index, inverse, combine()]") == [1, 2, 3]


def test_constants_name_mosaicking_and_types(engine: Engine) -> None:
    assert engine.json("Object.values(Mosaicking)") == ["SIMPLE", "ORBIT", "TILE"]
    assert engine.json("Object.values(SampleType)") == ["INT8", "UINT8", "INT16", "UINT16", "FLOAT32", "AUTO"]
