"""The evalscripts code pixels as the rest of skred decodes them."""

import json

import numpy as np
import pytest
from py_mini_racer import MiniRacer

from skred.acquire.bodies import DEM, S1, S2, VIEWING
from skred.coding import decode_power, encode_db


def run(product, samples):
    engine = MiniRacer()
    engine.eval(product.evalscript)
    text = json.dumps(samples).replace("NaN", "null").replace("Infinity", "1e999")
    return np.array(json.loads(engine.eval(f"JSON.stringify({text}.map(evaluatePixel))")))


def setup(product):
    engine = MiniRacer()
    engine.eval(product.evalscript)
    return json.loads(engine.eval("JSON.stringify(setup())"))


@pytest.mark.parametrize("product", [S1, S2, VIEWING, DEM])
def test_the_script_gives_the_bands_and_type_of_its_product(product):
    output = setup(product)["output"]
    assert output == {"bands": len(product.names), "sampleType": product.dtype.upper()}


def test_backscatter_is_coded_as_in_python_to_within_one_step():
    rng = np.random.default_rng(3)
    power = (10.0 ** rng.uniform(-6, 2, 5000)).astype(np.float32)
    power[:6] = [0.0, -1.0, 1e-30, 1e-5, 1.0, 1e8]
    codes = run(S1, [{"VV": float(p), "VH": float(p) / 4, "dataMask": 1} for p in power])
    difference = codes[:, 0] - encode_db(power).astype(int)
    assert np.abs(difference).max() <= 1
    assert (difference != 0).mean() < 0.001
    valid = (codes[:, 0] > 1) & (codes[:, 0] < 65535)
    np.testing.assert_allclose(decode_power(codes[valid, 0]), power[valid], rtol=1.2e-4)


def test_backscatter_without_data_is_zero():
    samples = [{"VV": 0.1, "VH": 0.1, "dataMask": 0}, {"VV": float("nan"), "VH": float("inf"), "dataMask": 1}]
    assert run(S1, samples).tolist() == [[0, 0], [0, 0]]


def test_optical_pixels_without_data_or_class_are_zero_and_others_pass():
    sample = {"B02": 200, "B03": 350, "B04": 250, "B08": 2200, "SCL": 4, "dataMask": 1}
    codes = run(S2, [sample, sample | {"SCL": 0}, sample | {"dataMask": 0}])
    assert codes.tolist() == [[200, 350, 250, 2200, 4], [0] * 5, [0] * 5]


def test_angles_are_hundredths_of_a_degree_and_any_shadow_is_one():
    sample = {"localIncidenceAngle": 38.126, "shadowMask": 0, "dataMask": 1}
    codes = run(
        VIEWING, [sample, sample | {"shadowMask": 1}, sample | {"localIncidenceAngle": 0}, sample | {"dataMask": 0}]
    )
    assert codes.tolist() == [[3813, 0], [3813, 1], [1, 0], [0, 0]]
