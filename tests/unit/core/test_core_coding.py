"""Pixels as 16-bit integers come back within half a step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skred.coding import DB_OFFSET, DB_STEP, decode_power, encode_db

lowest, highest = DB_OFFSET + DB_STEP, DB_OFFSET + 65535 * DB_STEP


@given(arrays(np.float64, st.integers(1, 50), elements=st.floats(lowest, highest)))
def test_backscatter_comes_back_within_half_a_step(db):
    back = 10 * np.log10(decode_power(encode_db(10 ** (db / 10))).astype(np.float64))
    assert np.abs(back - db).max() <= DB_STEP / 2 + 2e-6  # float32 power holds 1e-6 dB


@given(arrays(np.uint16, st.integers(1, 50)))
def test_every_code_comes_back_as_itself(code):
    np.testing.assert_array_equal(encode_db(decode_power(code)), code)


@given(arrays(np.float32, 20, elements=st.floats(width=32)))
def test_what_is_no_power_is_no_data_and_what_is_one_never_is(power):
    code = encode_db(power)
    np.testing.assert_array_equal(code == 0, ~(np.isfinite(power) & (power > 0)))


def test_values_beyond_the_range_take_its_ends():
    assert encode_db(np.array([1e-9, 1e9])).tolist() == [1, 65535]
    assert np.isnan(decode_power(np.array([0], np.uint16))).all()
