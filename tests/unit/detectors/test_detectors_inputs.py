"""What a detector is shown: clipped, normalised on training pixels alone, unknown as the mean with its own channel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skred.core.bands import Band
from skred.detectors.inputs import fit_inputs


def band(name, sensor, clip=(-1.0, 1.0)):
    return Band(name=name, meaning=name, unit="1", sensor=sensor, clip=clip)


NDVI, VV, VH, SLOPE = (
    band("dndvi", "optical"),
    band("post_vv", "radar", (-25, 5)),
    band("post_vh", "radar", (-32, -2)),
    band("slope", "terrain", (0, 70)),
)
known = st.floats(-2, 2, width=32)


@given(arrays(np.float32, st.integers(2, 60), elements=st.one_of(known, st.just(np.float32(np.nan)))))
def test_unknown_becomes_0_which_is_the_mean_of_the_training_pixels(values):
    inputs = fit_inputs([NDVI], [values])
    channels = inputs.encode([values])
    unknown = np.isnan(values)
    assert np.isfinite(channels).all()
    assert (channels[unknown, 0] == 0).all()
    np.testing.assert_array_equal(channels[:, 1], ~unknown)
    if not unknown.all():
        assert channels[~unknown, 0].mean() == pytest.approx(0, abs=1e-4)
        spread = np.clip(values[~unknown].astype(float), -1, 1).std()
        assert channels[~unknown, 0].std() == pytest.approx(1 if spread > 1e-6 else 0, abs=1e-2)


def test_values_outside_the_clip_range_are_shown_as_its_ends():
    inputs = fit_inputs([NDVI], [np.array([-0.5, 0.5], np.float32)])
    shown = inputs.encode([np.array([-9, -1, 1, 9, np.inf], np.float32)])[:, 0]
    assert shown[0] == shown[1] == -2
    assert shown[2] == shown[3] == 2


def test_one_validity_channel_per_sensor_in_a_fixed_order():
    values = [np.zeros((2, 3), np.float32) for _ in range(4)]
    inputs = fit_inputs([VV, SLOPE, NDVI, VH], values)
    assert inputs.sensors == ("optical", "radar", "terrain")
    assert inputs.channel_names[4:] == ("optical_valid", "radar_valid", "terrain_valid")
    values[0][0, 0] = np.nan  # VV alone: all of the radar is then not whole
    values[2][1, 1] = np.nan
    channels = inputs.encode(values)
    assert channels.shape == (2, 3, inputs.channels) == (2, 3, 7)
    assert channels[..., 5].tolist() == [[0, 1, 1], [1, 1, 1]]
    assert channels[..., 4].tolist() == [[1, 1, 1], [1, 0, 1]]
    assert channels[..., 6].all()


def test_a_band_that_is_constant_or_unknown_everywhere_stays_finite():
    constant, nothing = np.full(5, 0.3, np.float32), np.full(5, np.nan, np.float32)
    inputs = fit_inputs([NDVI, VV], [constant, nothing])
    assert inputs.std == (1.0, 1.0)
    assert (inputs.mean[0], inputs.mean[1]) == (pytest.approx(0.3), 0.0)
    assert np.isfinite(inputs.encode([constant, nothing])).all()


def test_a_pixel_has_an_image_where_any_satellite_saw_it():
    inputs = fit_inputs([NDVI, VV, SLOPE], [np.zeros(4, np.float32)] * 3)
    ndvi = np.array([0, np.nan, np.nan, 0], np.float32)
    vv = np.array([0, 0, np.nan, np.nan], np.float32)
    assert inputs.has_image([ndvi, vv, np.zeros(4, np.float32)]).tolist() == [True, True, False, True]


def test_terrain_alone_counts_where_it_is_known():
    inputs = fit_inputs([SLOPE], [np.zeros(2, np.float32)])
    assert inputs.has_image([np.array([3, np.nan], np.float32)]).tolist() == [True, False]


def test_bands_are_read_back_as_they_were_written():
    inputs = fit_inputs([NDVI, VV], [np.random.default_rng(0).normal(size=100).astype(np.float32)] * 2)
    assert type(inputs).model_validate_json(inputs.model_dump_json()) == inputs
