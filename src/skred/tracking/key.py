"""The key of a training run: what went into it, in the form in which DVC records it.

A running stage and a later look at ``dvc.lock`` give the same key, so that both speak of one MLflow run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def run_key(entry: Mapping[str, Any]) -> str:
    """SHA-256 of a stage's entry in the form of ``dvc.lock``, without its outputs.

    What counts is the command, the parameters, and the hashes and sizes of the dependencies; the order of keys and
    of dependencies does not.
    """
    counted = {name: value for name, value in entry.items() if name != "outs"}
    counted["deps"] = sorted(entry.get("deps", []), key=lambda dep: str(dep["path"]))
    return digest(counted)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`; what JSON does not know (dates) counts as its text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def live_entry(folder: Path, addressing: str) -> dict[str, Any]:
    """The entry that ``dvc.lock`` will get for a stage that is running now, less its outputs.

    Parameters
    ----------
    folder
        Where the stage runs: the folder of its ``dvc.yaml``.
    addressing
        What DVC sets as ``DVC_STAGE``: ``train@fusion-unet``, or ``<file>:train@fusion-unet`` when DVC was started
        elsewhere. That file is relative to the folder of DVC's process, not to ours: only its name counts.

    Raises
    ------
    dvc.exceptions.DvcException
        `folder` is in no DVC repository, or has no such stage.
    """
    # Internals of DVC: a test holds that they give what the lock gets.
    from dvc.repo import Repo  # noqa: PLC0415  # a second of imports, only where it is needed
    from dvc.stage.serialize import to_single_stage_lockfile  # noqa: PLC0415

    file, _, name = addressing.rpartition(":")
    with Repo(str(folder)) as repo:  # not DVC_ROOT: in a temporary experiment that is another checkout
        stage = repo.stage.load_one(path=str(folder / Path(file or "dvc.yaml").name), name=name)
        stage.save_deps()
        entry: dict[str, Any] = to_single_stage_lockfile(stage)
    entry.pop("outs", None)
    return entry
