"""Figures of whole pipelines, without a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skred.core.errors import InputError
from skred.tracking.forests import comparison_figure, differences_figure
from skred.tracking.pictures import days_figure, importance_figure, optimism_figure, pixels, save
from skred.tracking.studies import days_rows

OPTIMISM = pd.DataFrame(
    [(s, "cart", True, "mcc", split, v) for s in ("full", "sar") for split, v in (("blocks", 0.5), ("random", 0.75))],
    columns=["setting", "detector", "simulated", "score", "split", "value"],
)
DAYS = pd.DataFrame(
    [
        (setting, detector, True, day, what, day / 30)
        for setting in ("sar", "optical")
        for detector in ("unet", "cart")
        for day in (7, 1, 30)
        for what in ("MCC", "landslides found", "seen")
    ],
    columns=["setting", "detector", "simulated", "days", "what", "value"],
)
IMPORTANCE = pd.DataFrame(
    {
        "band": ["none", "slope", "dndvi", "pre_vv"],
        "mcc": [0.6, 0.5, 0.2, 0.6],
        "mcc_drop": [0.0, 0.1, 0.4, 0.0],
        "mcc_drop_low": [np.nan, 0.05, 0.3, np.nan],
        "mcc_drop_high": [np.nan, 0.15, 0.5, np.nan],
        "cell": "full-unet",
        "simulated": False,
    }
)


def compare(**more: Any) -> dict[str, Any]:
    entry = {"simulated": True, "mcc": 0.5, "mcc_low": None, "mcc_high": None, "no_interval": "12 blocks, wanted 30"}
    return {"full": {"unet": entry | more}}


def titles(figure: Any) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.axison]


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_optimism_has_a_panel_per_setting_and_both_splits_of_each_score() -> None:
    figure = optimism_figure(OPTIMISM)
    assert figure is not None
    assert titles(figure) == ["full", "sar"]
    for axes in figure.axes:
        assert [float(line.get_xdata()[0]) for line in axes.lines] == [0.5, 0.75]
    assert legend(figure) == ["cart", "spatial blocks", "random windows"]
    assert "simulated pixels" in figure.get_suptitle()


def test_days_are_drawn_in_their_order_what_was_seen_first() -> None:
    figure = days_figure(DAYS)
    assert figure is not None
    assert titles(figure) == ["seen", "MCC", "landslides found"]
    assert all(list(line.get_xdata()) == [1, 7, 30] for axes in figure.axes for line in axes.lines)
    assert legend(figure) == ["optical, cart", "optical, unet", "sar, cart", "sar, unet"]
    colours = {line.get_label(): line.get_color() for line in figure.axes[0].lines}
    assert colours["sar, cart"] == colours["sar, unet"] != colours["optical, unet"]
    assert "simulated pixels" in figure.get_suptitle()


def test_days_become_steps_in_their_order() -> None:
    one = DAYS[(DAYS["setting"] == "sar") & (DAYS["detector"] == "unet") & (DAYS["what"] != "seen")]
    assert days_rows(one) == [
        (day, {"sar.unet.mcc": day / 30, "sar.unet.landslides_found": day / 30}) for day in (1, 7, 30)
    ]


def test_the_band_that_matters_most_comes_first_and_an_interval_stands_only_where_there_is_one() -> None:
    figure = importance_figure({"plots/full-unet.csv": IMPORTANCE})
    assert figure is not None
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dndvi", "slope", "pre_vv"]
    assert [bar.get_width() for bar in axes.patches] == [0.4, 0.1, 0.0]
    (intervals,) = axes.collections
    assert [segment[:, 0].tolist() for segment in intervals.get_segments()] == [[0.3, 0.5], [0.05, 0.15]]
    assert titles(figure) == ["full-unet: MCC 0.60"]
    assert "real pixels" in figure.get_suptitle()


def test_a_comparison_is_of_all_held_out_pixels_where_there_are_any() -> None:
    figure = comparison_figure(compare(held_out={"mcc": 0.25, "mcc_low": 0.125, "mcc_high": 0.375}))
    assert figure is not None
    (axes,) = figure.axes  # neither whole objects nor an event without landslides
    assert axes.lines[0].get_xdata()[0] == 0.25
    assert axes.collections[0].get_segments()[0][:, 0].tolist() == [0.125, 0.375]
    assert "95 % interval" in legend(figure)[0]


def test_a_comparison_says_why_it_has_no_intervals() -> None:
    figure = comparison_figure(compare())
    assert figure is not None
    assert legend(figure) == ["test blocks; no interval: 12 blocks, wanted 30"]


def test_a_difference_stands_out_when_its_corrected_p_is_small() -> None:
    entry = {"difference": 0.2, "low": 0.1, "high": 0.3, "seeds": 5, "seeds_other": 1}
    measured = {"where": "In the simulated world", "roles": "test", "blocks": 40}
    given = {"a minus b": entry | {"p_corrected": 0.01}, "c minus d": entry | {"p_corrected": 0.06}}
    figure = differences_figure({"measured": measured, "differences": given})
    assert figure is not None
    _zero, small, large = figure.axes[0].lines
    assert small.get_color() != large.get_color()
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == ["p 0.010", "p 0.060"]
    assert "In the simulated world, test: 40 blocks, 1 to 5 training seeds" in figure.get_suptitle()


def test_where_there_is_nothing_nothing_is_drawn() -> None:
    assert optimism_figure(OPTIMISM[:0]) is None
    assert days_figure(DAYS[:0]) is None
    assert importance_figure({}) is None
    assert comparison_figure({}) is None
    assert differences_figure({"differences": {}}) is None


def test_a_table_without_a_column_is_named() -> None:
    with pytest.raises(InputError, match=r"plots/b\.csv: has no column simulated"):
        importance_figure({"plots/a.csv": IMPORTANCE, "plots/b.csv": IMPORTANCE.drop(columns="simulated")})
    with pytest.raises(InputError, match=r"plots/days\.csv: has no column what"):
        days_figure(DAYS.drop(columns="what"))


def test_simulated_and_real_pixels_are_told_apart() -> None:
    assert pixels([True, True]) == "simulated pixels"
    assert pixels([False]) == "real pixels"
    assert "nobody says" in pixels([])
    assert pixels([False, True]) == pixels(np.array([True, False])) == "simulated and real pixels"


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        figure = days_figure(DAYS)
        assert figure is not None
        save(figure, tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert b"Matplotlib" not in (tmp_path / "a.png").read_bytes()
