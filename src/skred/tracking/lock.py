"""What ``dvc.lock`` files say about trained cells and about whole pipelines, and whether the files on disk are the ones
that they name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skred.core.params import read_yaml
from skred.tracking.key import digest, run_key

# Of what a run records: a higher number makes the next sync bring every run up to date.
_VERSION = 1  # of a cell
_STUDY_VERSION = 1  # of a whole pipeline
_STUDY_STAGES = ("compare", "days", "importance")  # whose figures speak of a pipeline and not of one cell


@dataclass(frozen=True)
class Output:
    """A stage's output: its path relative to the lock's folder, and the hash that DVC recorded."""

    path: str
    md5: str


@dataclass(frozen=True)
class LockedCell:
    """A trained cell as a ``dvc.lock`` describes it.

    `scores` is the output of its ``evaluate`` stage, None where there is none or where it scored another model.
    """

    folder: Path
    cell: str
    train: Mapping[str, Any]
    model: Output
    scores: Output | None

    @property
    def key(self) -> str:
        return run_key(self.train)

    @property
    def state(self) -> str:
        """Changes when anything that a run records of this cell changes."""
        return digest([_VERSION, self.key, self.model.md5, self.scores and self.scores.md5])

    def file(self, output: Output) -> Path:
        return self.folder / output.path


@dataclass(frozen=True)
class LockedStudy:
    """What a ``dvc.lock`` says about the results of a whole pipeline: the files that its stages `compare`, `days` and
    `importance` wrote, by stage, sorted by path; a stage that ran for several cells counts as one."""

    folder: Path
    name: str
    outs: Mapping[str, tuple[Output, ...]]

    @property
    def files(self) -> tuple[Output, ...]:
        return tuple(out for stage in sorted(self.outs) for out in self.outs[stage])

    @property
    def key(self) -> str:
        """The same for the same bytes of the same pipeline, however they came about."""
        return digest([self.name, sorted((out.path, out.md5) for out in self.files)])

    @property
    def state(self) -> str:
        """Changes when anything that a run records of this pipeline changes."""
        return digest([_STUDY_VERSION, self.key])


def locked_study(lock: Path, name: str) -> LockedStudy | None:
    """The results of the pipeline called `name` in a ``dvc.lock``, None if it has none or if there is no such file.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    found: dict[str, list[Output]] = {}
    for key, entry in _stages(lock).items():
        stage = key.partition("@")[0]
        if stage in _STUDY_STAGES:
            written = [Output(out["path"], out.get("md5", "")) for out in entry.get("outs", [])]
            found.setdefault(stage, []).extend(out for out in written if not out.md5.endswith(".dir"))
    outs = {stage: tuple(sorted(files, key=lambda out: out.path)) for stage, files in found.items() if files}
    return LockedStudy(lock.parent, name, outs) if outs else None


def locked_cells(lock: Path) -> Iterator[LockedCell]:
    """The cells of a ``dvc.lock``, sorted by name; none if there is no such file.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    stages = _stages(lock)
    for name in sorted(stages):
        stage, _, cell = name.partition("@")
        outs = _outputs(stages[name])
        if stage != "train" or not cell or not outs:
            continue
        model = outs[0]
        evaluated = stages.get(f"evaluate@{cell}", {})
        scored = {dep["path"]: dep.get("md5") for dep in evaluated.get("deps", [])}
        scores = next((out for out in _outputs(evaluated) if scored.get(model.path) == model.md5), None)
        yield LockedCell(lock.parent, cell, stages[name], model, scores)


def _stages(lock: Path) -> dict[str, Any]:
    stages: dict[str, Any] = (read_yaml(lock) or {}).get("stages", {}) if lock.is_file() else {}
    return stages


def _outputs(entry: Mapping[str, Any]) -> list[Output]:
    """The folders among the outputs: a model and a folder of scores are folders."""
    outs = [Output(out["path"], out.get("md5", "")) for out in entry.get("outs", [])]
    return [out for out in outs if out.md5.endswith(".dir")]


def folder_md5(folder: Path) -> str:
    """The hash that DVC gives a folder: MD5 of the sorted list of the hashes of its files, and ``.dir``."""
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    tree = [{"md5": content_md5((folder / name).read_bytes()), "relpath": name} for name in files]
    return content_md5(json.dumps(tree, sort_keys=True).encode()) + ".dir"


def content_md5(content: bytes) -> str:
    """The hash that DVC gives a file with this content."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
