"""Statistics of a real Sentinel-1 series beside the same of the simulation: none of its pixels are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from skred.check_world.drawing import save
from skred.check_world.null_radar import DATES, DAYS_APART, POLARISATIONS, RADAR_M, real_series, simulated_series
from skred.core.events import Event
from skred.world.params import WorldParams

REAL, SIMULATED = "#0072b2", "#d55e00"
LAGS_PX = (1, 2, 3, 5, 8, 13, 20)


def draw_real(params: WorldParams, event: Event, folder: Path, out: Path) -> Path:
    """Null differences of both: their histogram, their growth with time, how far they are alike in space, levels.

    Raises as `skred.check_world.null_radar.real_series`.
    """
    series = list(real_series(folder).values())
    simulated = [simulated_series(params, event)]
    figure = Figure(figsize=(13, 6.4), layout="constrained")
    figure.suptitle(
        f"{DATES} passes of one track, {DAYS_APART} days apart, no event, {RADAR_M:.0f} m pixels: "
        f"real (California, {len(series)} bursts) and simulated"
    )
    panels = figure.subplots(2, 4)
    for row, name in zip(panels, POLARISATIONS, strict=True):
        for group, colour, label in ((series, REAL, "real"), (simulated, SIMULATED, "simulated")):
            for number, stacks in enumerate(group):
                _one(row, stacks[name], colour, label if number == 0 else None)
        row[0].set(xlabel=f"mean of first half less second, {name}, dB", ylabel="density", xlim=(-6, 6))
        row[1].set(xlabel="days between two passes", ylabel=f"spread of their difference, {name}, dB", ylim=(0, 3.5))
        row[2].set(xlabel="distance, m", ylabel=f"autocorrelation of the difference, {name}", ylim=(-0.1, 0.6))
        row[3].set(xlabel=f"mean level of all passes, {name}, dB", ylabel="density")
        row[0].legend(fontsize=9)
        for axes in row:
            axes.grid(alpha=0.3)
    return save(figure, out / "world-real.png")


def _one(row: Any, power: NDArray[np.floating], colour: str, label: str | None) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        db = 10 * np.log10(power)
        half = 10 * np.log10(power[: len(power) // 2].mean(axis=0) / power[len(power) // 2 :].mean(axis=0))
        level = 10 * np.log10(power.mean(axis=0))
    style = {"color": colour, "lw": 1.2}
    for axes, values, bins in ((row[0], half, np.linspace(-6, 6, 61)), (row[3], level, np.linspace(-30, 5, 71))):
        count, edges = np.histogram(values[np.isfinite(values)], bins=bins, density=True)
        axes.plot((edges[1:] + edges[:-1]) / 2, count, label=label, **style)
    days = np.arange(1, len(db)) * DAYS_APART
    row[1].plot(
        days, [np.mean([np.nanstd(db[i + k] - db[i]) for i in range(len(db) - k)]) for k in range(1, len(db))], **style
    )
    row[2].plot(np.array(LAGS_PX) * RADAR_M, [_alike(half, lag) for lag in LAGS_PX], **style)


def _alike(field: NDArray[np.floating], lag: int) -> float:
    centred = field - np.nanmean(field)
    both = [np.nanmean(centred[:, lag:] * centred[:, :-lag]), np.nanmean(centred[lag:] * centred[:-lag])]
    return float(np.mean(both) / np.nanvar(centred))
