import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skred.coding import decode_power, encode_db
from skred.composite.radar import TrackSums, blind_to_all, combine, sum_passes

SHAPE = (1, 1)
SEEN = np.zeros(SHAPE, bool)


def passes(*powers, shape=SHAPE):
    """Passes with the same power in VV and VH; None is a pass without data."""
    return [encode_db(np.full((2, *shape), np.nan if power is None else power)) for power in powers]


def track(pre, post, *, mean="linear", blind=SEEN):
    return TrackSums(sum_passes(passes(*pre), SHAPE, mean), sum_passes(passes(*post), SHAPE, mean), blind)


def composite(*tracks, mean="linear", min_passes=1):
    return combine(tracks, SHAPE, mean=mean, min_passes=min_passes)


@pytest.mark.parametrize(("mean", "wanted_db"), [("linear", -5.85), ("db", -10.0)])
def test_a_slope_seen_bright_from_one_side_and_dark_from_the_other(mean, wanted_db):
    # gamma0 0.5 ascending and 0.02 descending
    result = composite(track([0.5], [0.5], mean=mean), track([0.02], [0.02], mean=mean), mean=mean)
    assert result.pre_db[0, 0, 0] == pytest.approx(wanted_db, abs=0.001)


def test_mean_of_db_lies_half_a_db_below_db_of_the_mean_at_4_4_looks():
    power = 0.1 * np.random.default_rng(3).gamma(4.4, 1 / 4.4, (40, 2, 100, 100))
    codes = encode_db(power)
    sums = {mean: sum_passes(codes, (100, 100), mean) for mean in ("linear", "db")}
    db = {
        mean: combine([TrackSums(s, s, np.zeros((100, 100), bool))], (100, 100), mean=mean, min_passes=1).pre_db
        for mean, s in sums.items()
    }
    # psi(L) − ln(L) at L = 4.4, in dB; the mean of 40 passes has some of that bias left itself
    left_db = 10 / np.log(10) / (2 * 4.4 * 40)
    assert np.mean(db["linear"] - db["db"]) == pytest.approx(0.51 - left_db, abs=0.01)


def test_a_track_that_is_missing_in_one_window_is_no_change():
    both, only_before = track([0.1, 0.1], [0.1, 0.1]), track([0.4, 0.4], [])
    result = composite(both, only_before, min_passes=2)
    assert result.pre_db[0, 0, 0] == result.post_db[0, 0, 0] == pytest.approx(-10, abs=0.001)
    assert (result.passes_pre[0, 0], result.passes_post[0, 0], result.tracks[0, 0]) == (2, 2, 1)


def test_a_pass_without_data_is_not_a_pass():
    result = composite(track([0.1, None], [0.1, 0.1]), min_passes=2)
    assert np.isnan(result.pre_db).all()
    assert np.isnan(result.post_db).all()
    assert result.passes_post[0, 0] == 0


def test_tracks_weigh_the_same_whatever_their_number_of_passes():
    result = composite(track([0.3], [0.3]), track([0.1] * 9, [0.1] * 3))
    assert result.pre_db[0, 0, 0] == pytest.approx(10 * np.log10(0.2), abs=0.002)
    assert result.post_db[0, 0, 0] == pytest.approx(result.pre_db[0, 0, 0], abs=1e-4)


def test_with_means_of_db_every_pass_weighs_the_same():
    result = composite(track([0.1], [0.1], mean="db"), track([1.0] * 4, [1.0] * 4, mean="db"), mean="db")
    assert result.pre_db[0, 0, 0] == pytest.approx(-2.0, abs=1e-4)


def test_a_track_in_layover_or_shadow_is_left_out():
    blind = track([5.0], [0.001], blind=~SEEN)
    result = composite(blind, track([0.1], [0.1]))
    assert result.post_db[0, 0, 0] == pytest.approx(-10, abs=0.001)
    assert np.isnan(composite(blind).pre_db).all()


def test_no_tracks_at_all_are_unknown():
    assert np.isnan(composite().pre_db).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), min_passes=st.integers(1, 3), mean=st.sampled_from(["linear", "db"]))
def test_streaming_equals_the_whole_stack(seed, min_passes, mean):
    rng = np.random.default_rng(seed)
    shape = (4, 5)
    stacks, blind = {}, {}
    for name in range(3):
        power = 10 ** rng.uniform(-3, 0, (2, 4, 2, *shape))  # window, pass, polarisation
        power[np.broadcast_to(rng.random((2, 4, 1, *shape)) < 0.4, power.shape)] = np.nan
        stacks[name], blind[name] = encode_db(power), rng.random(shape) < 0.2
    streamed = combine(
        [TrackSums(*(sum_passes(list(s), shape, mean) for s in stacks[n]), blind[n]) for n in stacks],
        shape,
        mean=mean,
        min_passes=min_passes,
    )
    values = np.stack([decode_power(s) for s in stacks.values()]).astype(float)  # track, window, pass, pol, H, W
    valid = np.isfinite(values)
    enough = (valid[:, :, :, 0].sum(axis=2) >= min_passes).all(axis=1) & ~np.stack(list(blind.values()))
    values = np.where(enough[:, None, None, None], values, np.nan)
    with warnings.catch_warnings(action="ignore"):  # means of nothing
        if mean == "linear":
            wanted = 10 * np.log10(np.nanmean(np.nanmean(values, axis=2), axis=0))
        else:
            wanted = np.nanmean(10 * np.log10(values), axis=(0, 2))
    np.testing.assert_allclose(np.stack([streamed.pre_db, streamed.post_db]), wanted, atol=2e-5)


def test_blind_to_all_asks_only_tracks_that_cover_the_pixel():
    blind = [np.array([True, True, False, False]), np.array([True, False, False, False])]
    seen = [np.array([True, True, True, False]), np.array([True, False, True, False])]
    assert blind_to_all(blind, seen).tolist() == [True, True, False, False]
    assert blind_to_all([], []) is None
