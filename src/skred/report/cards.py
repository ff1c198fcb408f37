"""Model cards: what a model reads, learnt from, scores, and where it fails. Made from files, never written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skred.detectors.model import ModelCard, read_card
from skred.maps.hashing import model_sha256
from skred.report.charts import interval, number
from skred.report.page import render_card
from skred.report.scores import DETECTORS, judged_on, size_words

_HEADS = ("precision", "recall", "f1", "mcc", "auprc")
_SPLITS = {
    "blocks": "spatial blocks with a buffer",
    "random": "windows drawn at random, which flatters",
    "scenes": "whole scenes",
}
_LICENCES = {
    True: "Pixels and labels are simulated by this project and carry its licence. No satellite data are contained.",
    False: "Contains modified Copernicus Sentinel data, free to use and share under the terms of the Copernicus "
    "programme with this notice; the inventory's own licence stands beside it.",
}


def model_card(model: Path, scores: Mapping[str, Any], min_area_m2: float | None) -> str:
    """The card of the model folder `model` as Markdown; `scores` are its `scores.json`, `min_area_m2` is the minimum
    mapping unit of its maps, None where none are made."""
    card = read_card(model)
    context: dict[str, Any] = {
        "cell": card.cell,
        "simulated": card.simulated,
        "detector": DETECTORS.get(card.detector, card.detector),
        "setting": card.setting,
        "bands": card.inputs.names,
        "trained_on": card.trained_on,
        "split_words": _SPLITS.get(scores["split"], scores["split"]),
        "training": {name: f"{count:,}".replace(",", " ") for name, count in scores["training"].items()},
        "threshold": f"{card.threshold:g}",
        "chosen": {name: f"{value:g}" for name, value in card.chosen.items()},
        "min_area": "no maps are made of it" if min_area_m2 is None else f"{min_area_m2:g} m²",
        "sha256": model_sha256(model),
        "sensors": card.inputs.sensors,
        "inputs": _inputs(card),
        "has_intervals": any(interval(part, "mcc") is not None for part in (scores, judged_on(scores)[0])),
        "score_heads": ("precision", "recall", "F1", "MCC", "AUPRC"),
        "scores": _scores(card, scores),
        "others": _others(scores),
        "failures": _failures(card, scores),
        "licence": _LICENCES[card.simulated],
    }
    return render_card(context)


def _inputs(card: ModelCard) -> list[dict[str, str]]:
    inputs = card.inputs
    return [
        {
            "name": band.name,
            "meaning": band.meaning,
            "unit": band.unit,
            "low": f"{band.clip[0]:g}",
            "high": f"{band.clip[1]:g}",
            "mean": f"{mean:.4g}",
            "std": f"{std:.4g}",
        }
        for band, mean, std in zip(inputs.bands, inputs.mean, inputs.std, strict=True)
    ]


def _scores(card: ModelCard, scores: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts: dict[str, Mapping[str, Any]] = {
        "validation blocks (the threshold was chosen here)": card.validation,
        "test blocks": scores,
        "test blocks, pixels that every setting could see": scores.get("observable", {}),
        "unseen event": scores.get("unseen", {}),
        "test blocks and unseen event together": scores.get("held_out", {}),
        "unseen event, pixels that every setting could see": scores.get("unseen", {}).get("observable", {}),
        "test blocks, against what really happened": scores.get("truth", {}),
    }
    return [
        {"on": on, "values": [_shown(part, name) for name in _HEADS]}
        for on, part in parts.items()
        if part.get("recall") is not None
    ]


def _shown(part: Mapping[str, Any], name: str) -> str:
    ends = interval(part, name)
    return number(part.get(name)) + ("" if ends is None else f" [{ends[0]:.2f}, {ends[1]:.2f}]")


def _others(scores: Mapping[str, Any]) -> list[str]:
    lines = []
    section, where = judged_on(scores)
    if "objects" in section:
        objects = section["objects"]
        chance = objects.get("chance", {}).get("recall")
        lines.append(
            f"Whole landslides (connected pieces of the labels), {where}: {_shown(objects, 'recall')} found (enough of "
            "their area detected), "
            f"{_shown(objects, 'precision')} of the detections right."
            + ("" if chance is None else f" By chance {number(chance)} would be found.")
        )
    if section.get("objects", {}).get("spread_right") is not None:
        objects = section["objects"]
        lines.append(
            f"Members of the ensemble differ by {number(objects['spread_right'], 3)} over right detections and "
            f"{number(objects.get('spread_false'), 3)} over false ones (mean standard deviation)."
        )
    control = scores.get("control", {})
    if control.get("false_alarms_per_100km2") is not None:
        lines.append(
            f"Where nothing slid: {control['false_alarms_per_100km2']:.0f} false alarms per 100 km² "
            f"({control['false_alarms']} on {control['area_km2']:.0f} km²)."
        )
    on = control.get("false_alarms_by_confounder", {})
    if any(row["false_alarms"] for row in on.values()):
        told = ", ".join(
            f"{row['false_alarms']} {'on nothing of the kind' if name == 'none' else 'on ' + name.replace('_', ' ')}"
            for name, row in sorted(on.items(), key=lambda item: -item[1]["false_alarms"])
            if row["false_alarms"]
        )
        lines.append(f"Those false alarms lie: {told}.")
    test = scores.get("calibration", {}).get("test")
    if test:
        told = ", ".join(f"{name} {number(test[name]['ece'], 3)}" for name in test)
        lines.append(f"Calibration, test blocks: expected calibration error {told} ({scores['calibration']['kind']}).")
    else:
        lines.append("Calibration was not measured: read a probability as a rank, not as a chance.")
    return lines


def _failures(card: ModelCard, scores: Mapping[str, Any]) -> list[str]:
    sensors = card.inputs.sensors
    lines = []
    if "optical" in sensors:
        lines.append(
            "Whatever bares ground in that month looks alike: mown and ploughed fields, clear-cuts, flood deposits."
        )
        lines.append(
            "Under cloud before or after the event optics tell it nothing; a missed cloud can look like a landslide."
        )
    if "radar" in sensors:
        lines.append("Layover and radar shadow hide steep slopes; wet ground and snow change radar with no landslide.")
    f1, unseen = scores.get("f1"), scores.get("unseen", {}).get("f1")
    if f1 and unseen is not None:
        lines.append(f"On a place that it never saw F1 is {number(unseen)} against {number(f1)} on the test blocks.")
    sizes: Mapping[str, Any] = judged_on(scores)[0].get("objects", {}).get("by_size", {})
    for name, row in list(sizes.items())[:1]:
        if row["found"] < row["landslides"]:
            lines.append(f"Small landslides escape: {size_words(name)} it found {row['found']} of {row['landslides']}.")
    if not sizes:
        lines.append("Small landslides escape: a few mixed pixels of 10 m. Recall by size was not measured here.")
    lines.append(
        "No polygon is no proof that nothing slid, on observable ground either (layer `observable` of its maps)."
    )
    return lines
