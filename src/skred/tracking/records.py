"""What a run shows: parameters, curves, scores and tags, as flat names and values."""

from __future__ import annotations

import csv
import math
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the child of a training starts a second sooner without what a model needs
    from skred.detectors.model import ModelCard

_NESTED = ("unseen", "control")  # of scores.json; all else there is of the test split
_OF_THE_CARD = ("validation", "chosen", "threshold")  # recorded from model.json, which is there first


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping with dotted names: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``."""
    leaves: dict[str, Any] = {}
    for name, item in value.items():
        leaves |= flat(item, f"{prefix}{name}.") if isinstance(item, Mapping) else {f"{prefix}{name}": item}
    return leaves


def numbers(value: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The finite numbers of a nested mapping by dotted name; None, texts and yes/no are left out."""
    found = {k: v for k, v in flat(value, prefix).items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return {name: float(number) for name, number in found.items() if math.isfinite(number)}


def parameters(entry: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a lock entry, those of ``params.yaml`` by their name there, a list as ``a, b, c``."""
    shown: dict[str, str] = {}
    for file, values in entry.get("params", {}).items():
        prefix = "" if Path(file).name == "params.yaml" else f"{file}:"
        for name, value in flat(values, prefix).items():
            shown[name] = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return shown


def hash_tags(entry: Mapping[str, Any]) -> dict[str, str]:
    """Tags ``hash.<path>`` for the data among dependencies and outputs: DVC's hashes of folders.

    An experiment names the sources by ``../../src/...``; MLflow refuses such steps up in a tag, so they are left out.
    """
    items = [*entry.get("deps", []), *entry.get("outs", [])]
    folders = {str(item["path"]): item["md5"] for item in items if str(item.get("md5", "")).endswith(".dir")}
    return {f"hash.{path.replace('../', '')}": md5 for path, md5 in folders.items()}


def card_tags(card: ModelCard) -> dict[str, str]:
    """Tags from a model's card."""
    return {
        "setting": card.setting,
        "detector": card.detector,
        "trained_on": card.trained_on,
        "simulated": "yes" if card.simulated else "no",
    }


def card_metrics(card: ModelCard) -> dict[str, float]:
    """``validation.f1``, ``chosen.epoch``, ``threshold`` and the like."""
    shown = {"validation": card.validation, "chosen": card.chosen, "threshold": card.threshold}
    return numbers(shown)


def score_metrics(scores: Mapping[str, Any]) -> dict[str, float]:
    """``test.f1``, ``unseen.mcc``, ``control.false_alarms_per_100km2`` and the like from a cell's scores."""
    nested = {name: scores[name] for name in _NESTED if name in scores}
    test = {name: value for name, value in scores.items() if name not in (*_NESTED, *_OF_THE_CARD)}
    return numbers({"test": test, **nested})


def history_rows(file: Path) -> list[tuple[int, dict[str, float]]]:
    """``history.csv`` of a model: (step, values) per row."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)]
    return [step_row(int(row["step"]), row) for row in rows]


def step_row(step: int, row: Mapping[str, float]) -> tuple[int, dict[str, float]]:
    """One step as the history records it: six digits, as `skred.detectors.model.save_model` writes them.

    With more, a point logged while training went on and the same point from the file would be two.
    """
    rounded = {name: float(f"{value:.6g}") for name, value in row.items() if name != "step"}
    return step, {name: value for name, value in rounded.items() if math.isfinite(value)}


def one_line(message: object, most: int = 200) -> str:
    """The first line of a message, cut to `most` characters, without the user and password of any address in it."""
    line = " ".join((str(message).splitlines() or [""])[0].split())
    line = re.sub(r"//[^/@\s]*@", "//", line)
    return line if len(line) <= most else line[: most - 3] + "..."


def git_tags(folder: Path) -> dict[str, str]:
    """The commit of a checkout, and whether the checkout differs from it; nothing outside of git."""
    head = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        return {}
    dirty = "yes" if _git(folder, "status", "--porcelain") else "no"
    return {"git.commit": head, "git.dirty": dirty, "mlflow.source.git.commit": head}


def _git(folder: Path, *arguments: str) -> str | None:
    answer = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None
