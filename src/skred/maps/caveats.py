"""What a map must say about its model, in words: what it learnt from, how often it errs, and that it misses some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCORES = ("recall", "precision", "false_alarms_per_100km2")
NOT_A_CHANCE = "uncalibrated score of the model, no chance"
_SMALL = "under_0.1_ha"


def known_scores(scores: Mapping[str, Any]) -> dict[str, Any]:
    """From a model's ``scores.json``: `SCORES` of whole landslides and detections, with ``_low`` and ``_high``.

    Recall and precision are those of the unseen event, without one those of the test blocks (`measured_on`);
    `recall_under_0.1_ha` is the recall of small landslides there. False alarms are those of the control event, where
    nothing slid. What is not known is None: so are the test blocks of a random split, whose neighbours flatter.
    """
    found: dict[str, Any] = {"measured_on": None, f"recall_{_SMALL}": None}
    sections: list[tuple[str, Mapping[str, Any]]] = [("unseen event", scores.get("unseen", {}))]
    if scores.get("split") != "random":
        sections.append(("test blocks", scores))
    known = [(where, section["objects"]) for where, section in sections if _has_recall(section)]
    objects: Mapping[str, Any] = {}
    if known:
        found["measured_on"], objects = known[0]
        small = objects.get("by_size", {}).get(_SMALL, {})
        if small.get("landslides"):
            found[f"recall_{_SMALL}"] = round(small["found"] / small["landslides"], 6)
    control = scores.get("control", {})
    for name in SCORES:
        section = control if name.startswith("false_alarms") else objects
        found |= {key: section.get(key) for key in (name, f"{name}_low", f"{name}_high")}
    return found


def _has_recall(section: Mapping[str, Any]) -> bool:
    return section.get("objects", {}).get("recall") is not None


def learnt_from(summary: Mapping[str, Any]) -> str:
    """What the model learnt from; a caution where that was simulated and the map's pixels are real."""
    cell, event = summary["cell"], summary["trained_on"]
    if summary["trained_on_simulated"] and not summary["simulated"]:
        return (
            f"CAUTION: {cell} learnt from simulated landslides only (event {event}), and these images are real: "
            "none of its scores says how good this map is."
        )
    kind = "simulated landslides" if summary["trained_on_simulated"] else "landslides"
    return f"{cell} learnt from {kind} of the event {event}."


def errs(summary: Mapping[str, Any]) -> str:
    """How many of the polygons are wrong, and what looks alike; on the control event all of them are."""
    alike = "Clear-cuts, flood deposits and missed cloud look like landslides."
    if summary["role"] == "control":
        return f"Control event, where nothing slid: none of these detections is real. {alike}"
    told = "How many such detections are right was not measured"
    if summary["precision"] is not None:
        told = f"Of such detections {_percent(summary, 'precision')} were right ({_measured(summary)})"
    rate = summary["false_alarms_per_100km2"]
    if rate is None:
        return f"{told}; false alarms where nothing slid were not measured. {alike}"
    return (
        f"{told}; about {rate:.0f} false alarms per 100 km² where nothing slid, so about "
        f"{_few(rate * summary['area_km2'] / 100)} are expected on this area by chance. {alike}"
    )


def misses(summary: Mapping[str, Any]) -> str:
    """That a missing polygon proves nothing where the ground was observable either, with the recall where known."""
    told = "The model misses landslides, on observable ground too"
    if summary["recall"] is None:
        return f"{told}; how many was not measured."
    small = summary[f"recall_{_SMALL}"]
    beside = "" if small is None else f", {100 * small:.0f} % of those below 0.1 ha"
    recall = _percent(summary, "recall")
    return f"{told}: of all known ones, seen or not, it found {recall}{beside} ({_measured(summary)})."


def _measured(summary: Mapping[str, Any]) -> str:
    return f"{summary['measured_on']}{', simulated' if summary['trained_on_simulated'] else ''}"


def _percent(summary: Mapping[str, Any], name: str) -> str:
    low, high = summary[f"{name}_low"], summary[f"{name}_high"]
    ends = "" if low is None or high is None else f" [{100 * low:.0f}, {100 * high:.0f}]"
    return f"{100 * summary[name]:.0f} %{ends}"


def _few(count: float) -> str:
    return f"{count:.0f}" if count >= 10 else f"{count:.2g}"
