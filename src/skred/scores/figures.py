"""Figures of one cell: precision-recall curve, learning curve, and a map of hits, misses and false alarms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.colors
import matplotlib.patheffects
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from skred.core.grid import Grid
from skred.core.raster import read_raster
from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.detectors.model import ModelCard
from skred.scores.bins import predicted_positive
from skred.scores.report import Evaluated

# Hits, misses and false alarms in colours that people with any colour vision can tell apart (Okabe & Ito 2008).
HIT, MISSED, FALSE_ALARM = "#009e73", "#d55e00", "#cc79a7"


def _save(figure: Figure, path: Path) -> None:
    # Without this matplotlib writes its version into the file, and the hash moves with every release.
    with mpl.rc_context({"svg.hashsalt": "skred"}):
        figure.savefig(path, dpi=110, metadata={"Software": None}, facecolor="white")


def _title(card_or_scores: dict[str, Any]) -> str:
    where = "simulated pixels" if card_or_scores["simulated"] else "real pixels"
    return f"{card_or_scores['cell']} ({where})"


def draw_curve(path: Path, evaluated: Evaluated) -> None:
    """Precision against recall on the test split, the chosen threshold marked."""
    scores = evaluated.scores
    _, precision, recall = evaluated.test.curve()
    figure = Figure(figsize=(5, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.step(
        np.r_[0, recall],
        np.r_[precision[:1], precision],
        where="pre",
        color="#0072b2",
        label=f"AUPRC {_number(scores['auprc'])}",
    )
    if scores["recall"] is not None and scores["precision"] is not None:
        label = f"threshold {scores['threshold']:.3f}: F1 {_number(scores['f1'])}"
        axes.plot(scores["recall"], scores["precision"], "o", color=MISSED, label=label)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="recall", ylabel="precision", title=f"{_title(scores)}: test pixels")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", fontsize=8)
    _save(figure, path)


def draw_reliability(path: Path, evaluated: Evaluated) -> None:
    """Share of landslide against probability, raw and calibrated on validation, with the number of pixels below; of the
    test pixels and of the unseen events, because what fits the one need not fit the other."""
    scores, table = evaluated.scores, evaluated.reliability
    roles = [role for role in ("test", "unseen") if role in scores["calibration"]] or ["test"]
    figure = Figure(figsize=(0.6 + 4.4 * len(roles), 5.2), layout="constrained")
    panels = figure.subplots(2, len(roles), sharex=True, sharey="row", height_ratios=(4, 1), squeeze=False)
    kinds = {"raw": ("#0072b2", "raw"), "calibrated": (HIT, f"{scores['calibration']['kind']}, from validation")}
    for axes, below, role in zip(*panels, roles, strict=True):
        axes.plot([0, 1], [0, 1], color="0.6", lw=1)
        for name, (colour, label) in kinds.items():
            part = table[(table["role"] == role) & (table["probabilities"] == name)]
            error = scores["calibration"].get(role, {}).get(name, {}).get("ece_from_0.1")
            text = f"{label}: error from 0.1 on {_number(error, 2)}"
            axes.plot(part["probability"], part["observed"], "o-", ms=4, color=colour, label=text)
            below.plot(part["probability"], part["pixels"], "o-", ms=3, color=colour)
        axes.set(xlim=(0, 1), ylim=(0, 1), title=f"{role} pixels")
        below.set(yscale="log", xlabel="probability")
        axes.grid(alpha=0.3)
        below.grid(alpha=0.3)
        axes.legend(loc="upper left", fontsize=8)
    panels[0, 0].set_ylabel("share of landslide")
    panels[1, 0].set_ylabel("pixels")
    figure.suptitle(_title(scores))
    _save(figure, path)


def draw_sizes(path: Path, evaluated: Evaluated, share: float) -> None:
    """Share of the landslides found (`share` of their area) and touched, by class of area, with their numbers."""
    scores, table = evaluated.scores, evaluated.objects.sizes
    role = "held_out" if (table["role"] == "held_out").any() else "test"
    table = table[table["role"] == role]  # a class without a landslide too: it was looked for
    figure = Figure(figsize=(5.4, 3.6), layout="constrained")
    axes = figure.subplots()
    x = np.arange(len(table))
    for shift, name, colour, label in (
        (-0.2, "found", HIT, f"found (≥ {share:.0%} of it)"),
        (0.2, "touched", "#56b4e9", "touched"),
    ):
        axes.bar(x + shift, table[name] / table["landslides"].clip(lower=1), 0.38, color=colour, label=label)
    names = [size.replace("under_", "< ").replace("from_", "≥ ").replace("_ha", " ha") for size in table["size"]]
    axes.set_xticks(x, [f"{name}\n{count}" for name, count in zip(names, table["landslides"], strict=True)], fontsize=8)
    where = "test and unseen" if role == "held_out" else "test"
    axes.set(ylim=(0, 1), xlabel="area, and number of landslides", ylabel="share", title=f"{_title(scores)}: {where}")
    axes.grid(alpha=0.3, axis="y")
    axes.legend(loc="upper left", fontsize=8)
    _save(figure, path)


def draw_history(path: Path, card: ModelCard, history: pd.DataFrame) -> None:
    """Validation AUPRC against epoch, or against the number of training pixels for a tree."""
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axes = figure.subplots()
    by_pixels = "pixels" in history
    x = history["pixels"] / 1000 if by_pixels else history["step"]
    axes.plot(x, history["val_auprc"], "o-", ms=3, color="#0072b2")
    if "epoch" in card.chosen:
        axes.axvline(card.chosen["epoch"], color=MISSED, lw=1, label=f"kept: epoch {card.chosen['epoch']:.0f}")
        axes.legend(loc="lower right", fontsize=8)
    axes.set(
        xlabel="training pixels, thousands" if by_pixels else "step",
        ylabel="validation AUPRC",
        title=_title({"cell": card.cell, "simulated": card.simulated}),
        ylim=(0, 1),  # the whole range: a stretched axis makes noise look like a trend
    )
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    _save(figure, path)


def draw_map(path: Path, card: ModelCard, folder: SceneFolder, probability: Path) -> None:
    """Hits, misses and false alarms of the first scene over its optical image after the event."""
    scene = folder.names[0]
    labels, grid = folder.labels(scene), folder.grid(scene)
    predicted = predicted_positive(read_raster(probability / f"{scene}.tif").array[0], card.threshold)
    figure = Figure(figsize=(7.2, 7.6), layout="constrained")
    axes = figure.subplots()
    image = _backdrop(folder, scene)
    axes.imshow(np.where(np.isfinite(image), image, 0), extent=_extent_km(grid), interpolation="nearest")
    overlay = np.zeros((*labels.shape, 4))
    for mask, colour in (
        (predicted & (labels == LANDSLIDE), HIT),
        (~predicted & (labels == LANDSLIDE), MISSED),
        (predicted & (labels != LANDSLIDE) & (labels != UNKNOWN), FALSE_ALARM),
    ):
        overlay[mask] = (*mpl.colors.to_rgb(colour), 1.0)
    axes.imshow(overlay, extent=_extent_km(grid), interpolation="nearest")
    kind = "simulated" if folder.index.simulated else "real"
    axes.set(
        xlabel=f"east, km ({grid.crs or 'no CRS'})",
        ylabel="north, km",
        title=f"{card.cell} on the {kind} event '{folder.index.event}', threshold {card.threshold:.3f}",
    )
    legend = {"hit": HIT, "missed": MISSED, "false alarm": FALSE_ALARM}
    if not np.isfinite(image).all():
        legend["no optical image after the event"] = "black"  # there may be radar
    handles = [Patch(color=colour, label=label) for label, colour in legend.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)  # hides no landslide
    _scale_and_north(axes, grid)
    _save(figure, path)


def _backdrop(folder: SceneFolder, scene: str) -> NDArray[np.float32]:
    """Colours within 0..1, shape (H, W, 3), NaN where there is no image."""
    names = [band.name for band in folder.index.bands]
    wanted = [n for n in ("post_red", "post_green", "post_blue") if n in names] or names[:1]
    image = np.moveaxis(folder.bands(scene, wanted), 0, -1)
    known = image[np.isfinite(image)]
    low, high = (float(np.percentile(known, q)) for q in (1, 98)) if known.size else (0.0, 1.0)
    stretched = np.clip((image - low) / max(high - low, 1e-6), 0, 1) ** 0.7  # NaN stays NaN
    out: NDArray[np.float32] = np.broadcast_to(stretched, (*stretched.shape[:2], 3)).astype(np.float32)
    return out


def _extent_km(grid: Grid) -> tuple[float, float, float, float]:
    west, south, east, north = grid.bounds
    return west / 1000, east / 1000, south / 1000, north / 1000


def _scale_and_north(axes: Any, grid: Grid) -> None:
    west, south, east, north = (value / 1000 for value in grid.bounds)
    length = 1.0 if east - west > 3 else 0.2
    x, y = west + 0.05 * (east - west), south + 0.05 * (north - south)
    axes.add_patch(Rectangle((x, y), length, 0.008 * (north - south), color="white", ec="black", lw=0.8))
    outline = mpl.patheffects.withStroke(linewidth=2, foreground="black")
    text: dict[str, Any] = {"color": "white", "fontsize": 9, "path_effects": [outline]}
    axes.text(x, y + 0.015 * (north - south), f"{length:g} km", **text)
    axes.annotate(
        "grid N",
        xy=(0.06, 0.97),
        xytext=(0.06, 0.88),
        xycoords="axes fraction",
        ha="center",
        arrowprops={"arrowstyle": "-|>", "color": "white"},
        **text,
    )


def _number(value: float | None, digits: int = 2) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"
