"""`scores.json` of a cell: from tallies to the numbers that are compared, and the combined table of all cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skred.core.errors import InputError
from skred.core.raster import read_raster
from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.detectors.model import ModelCard
from skred.patches.split import Split
from skred.patches.store import PatchFolder
from skred.scores.blocks import BlockBins
from skred.scores.calibration import Calibrator, calibration_scores, choose_calibrator, reliability
from skred.scores.evaluate import Where, pixels_of, tally, tally_against
from skred.scores.gather import Region, ScenePart, blocks_of, gather, ranked_of, seen_shares
from skred.scores.headline import pixel_scores
from skred.scores.object_report import ObjectReport, report_objects
from skred.scores.params import ScoreParams
from skred.scores.ranked import Ranked

_DIGITS = 6  # more would only record rounding


@dataclass(frozen=True)
class Evaluated:
    """The scores of a cell (`scores.json`) and what its tables and figures are drawn from."""

    scores: dict[str, Any]
    blocks: BlockBins
    test: Ranked
    objects: ObjectReport
    calibrator: Calibrator
    reliability: pd.DataFrame  # role, raw or calibrated, and the columns of `skred.scores.calibration.reliability`


def evaluate_cell(
    card: ModelCard,
    probability: Path,
    patches: PatchFolder,
    divided: SceneFolder,
    whole: Sequence[SceneFolder],
    truths: Mapping[str, Path],
    params: ScoreParams,
) -> Evaluated:
    """Scores of one cell.

    Parameters
    ----------
    probability
        Folder with one folder of probability rasters per event.
    patches, divided
        The folder of patches whose split rasters divide the folder of scenes `divided`.
    whole
        Other events, counted whole: role `unseen` gives scores, role `control` false alarms; the counts of several
        events of one role add up.
    truths
        For simulated events, the raster of what really happened, by name of the event.

    Raises
    ------
    InputError
        An event of `whole` has another role, or simulated and real events of one role would be added.
    """
    roles = _by_role(whole)
    parts = gather(patches, divided, whole, probability, card.threshold, block_px=params.block_px, truths=truths)
    blocks = blocks_of(parts)
    unseen = roles.get("unseen", [])
    # test blocks and unseen events are both new to the model: together they are enough to tell something
    pooled = bool(unseen) and patches.about.split != "random"
    pooled = pooled and unseen[0].index.simulated == divided.index.simulated
    sensors = sorted({band.sensor for band in card.inputs.bands} & {"optical", "radar"})
    objects = report_objects(parts, pooled, params)
    calibrator, calibration, curves = _calibration(parts, params)

    def of(*regions: Region) -> dict[str, Any]:
        role = regions[0] if len(regions) == 1 else "held_out"
        landslides = objects.sections[role]["landslides"] if role in objects.sections else 0
        section = pixel_scores(blocks.of(*regions), *ranked_of(parts, regions), card.threshold, landslides, params)
        if role in objects.sections:
            section["objects"] = {"unit_px": objects.unit_px, **objects.sections[role]}
        return section | seen_shares(parts, regions, sensors)

    test = _tally(divided, probability, card.threshold, pixels_of(patches, Split.TEST))
    scores: dict[str, Any] = {
        "cell": card.cell,
        "setting": card.setting,
        "detector": card.detector,
        "seed": card.seed,
        "split": patches.about.split,
        "event": divided.index.event,
        "simulated": divided.index.simulated,
        **({"post_days": divided.index.about["post_days"]} if "post_days" in divided.index.about else {}),
        "trained_on_simulated": card.simulated,
        "training": _training(patches),
        "threshold": card.threshold,
        "unit_px": objects.unit_px,
        "validation": dict(card.validation),
        "chosen": dict(card.chosen),
        **of("test"),
        "observable": test,
        "calibration": calibration,
    }
    if unseen:
        scores["unseen"] = {"simulated": unseen[0].index.simulated, **of("unseen")}
        tallies = [tally(f, probability / f.index.event, card.threshold) for f in unseen]
        scores["unseen"]["observable"] = sum(tallies[1:], tallies[0]).scores(card.threshold)["observable"]
        if all(folder.index.event in truths for folder in unseen):
            against = [
                tally_against(_truth(truths[event]), folder, probability / event, lambda scene: None)
                for folder, event in ((folder, folder.index.event) for folder in unseen)
            ]
            scores["unseen"]["truth"] = _against_truth(Ranked.join(against), card.threshold)
    if pooled:
        scores["held_out"] = of("test", "unseen")
    if "control" in roles:
        control = roles["control"]
        pixels = blocks.of("control").pixels(card.threshold).sum(axis=0)
        scores["control"] = {
            "simulated": control[0].index.simulated,
            "unit_px": objects.unit_px,
            **objects.sections["control"],
            "false_alarm_pixels": int(pixels[1]),
        }
    if divided.index.event in truths:
        truth = _truth(truths[divided.index.event])
        where = pixels_of(patches, Split.TEST)
        counts = tally_against(truth, divided, probability / divided.index.event, where)
        scores["truth"] = _against_truth(counts, card.threshold)
    return Evaluated(rounded(scores), blocks, ranked_of(parts, ("test",))[0], objects, calibrator, curves)


def _tally(folder: SceneFolder, probability: Path, threshold: float, where: Where) -> Any:
    return tally(folder, probability / folder.index.event, threshold, where).scores(threshold)["observable"]


def _calibration(parts: Sequence[ScenePart], params: ScoreParams) -> tuple[Calibrator, dict[str, Any], pd.DataFrame]:
    """A calibrator from validation; its scores and curves on the other regions, raw and calibrated."""
    p, truth, blocks = _pixels(parts, "validation")
    calibrator = choose_calibrator(p, truth, blocks, params.calibration)
    scores: dict[str, Any] = {"kind": calibrator.kind}
    curves = []
    for region in ("test", "unseen"):
        p, truth, _ = _pixels(parts, region)
        if not len(p):
            continue
        scores[region] = {}
        for name, values in (("raw", p), ("calibrated", calibrator(p))):
            scores[region][name] = calibration_scores(values, truth)
            curves.append(reliability(values, truth).assign(role=region, probabilities=name))
    columns = ["role", "probabilities", "probability", "observed", "pixels"]
    return calibrator, scores, pd.concat(curves)[columns] if curves else pd.DataFrame(columns=columns)


def _pixels(parts: Sequence[ScenePart], region: Region) -> tuple[Any, Any, Any]:
    """Probability, truth and block of every known pixel of a region, each of shape (P,)."""
    known = [part.known(region) for part in parts]
    scenes = [np.full(int(k.sum()), i * 1_000_000) for i, k in enumerate(known)]  # blocks of other scenes are others
    return (
        np.concatenate([part.probability[k] for part, k in zip(parts, known, strict=True)]),
        np.concatenate([part.labels[k] == LANDSLIDE for part, k in zip(parts, known, strict=True)]),
        np.concatenate([part.blocks[k] + s for part, k, s in zip(parts, known, scenes, strict=True)]),
    )


def _training(patches: PatchFolder) -> dict[str, int]:
    """How much there was to learn from: distinct labelled training pixels, and the landslide pixels among them."""
    rows = patches.rows("train")
    labels = patches.y()[rows][patches.distinct_pixels(rows)]
    return {"pixels": int((labels != UNKNOWN).sum()), "landslide_pixels": int((labels == LANDSLIDE).sum())}


def _by_role(folders: Sequence[SceneFolder]) -> dict[str, list[SceneFolder]]:
    roles: dict[str, list[SceneFolder]] = {}
    for folder in folders:
        role, event = folder.index.role, folder.index.event
        if role not in ("unseen", "control"):
            raise InputError(f"{folder.path}: role {role} of {event}; wanted an event of role unseen or control")
        others = roles.setdefault(role, [])
        if any(other.index.simulated != folder.index.simulated for other in others):
            raise InputError(f"{folder.path}: simulated and real events of role {role} do not add up; score them apart")
        others.append(folder)
    return roles


def _truth(path: Path) -> Any:
    return read_raster(path).array[0]


def _against_truth(pixels: Ranked, threshold: float) -> dict[str, Any]:
    table = pixels.at(threshold)
    return {name: getattr(table, name) for name in ("precision", "recall", "f1", "mcc")}


def rounded(value: Any) -> Any:
    """`value` with every float, however deep, rounded to what is recorded."""
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, _DIGITS) if isinstance(value, float) else value
