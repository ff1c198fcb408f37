"""The MLflow store: where it is, how it is opened, and how runs and numbers in it are found and brought up to date."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from skred.core.errors import SkredError

RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"
KEY, CELL, PIPELINE, RECORDED = "skred.key", "cell", "pipeline", "skred.recorded"
_AT_ONCE = 100  # parameters and tags that MLflow takes in one request


def prepare() -> None:
    """Settings of MLflow that must stand before it is imported, each unless the user has set it.

    A server that does not answer is given up after seconds rather than after many minutes, nothing is sent to the
    makers of MLflow, names of environment variables are not recorded, and nothing is printed.
    """
    for name, value in {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # what goes wrong is raised as well, and told once
    }.items():
        os.environ.setdefault(name, value)
    for name in ("alembic", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)


def store_errors() -> tuple[type[Exception], ...]:
    """What a store that is down, locked, broken or too new raises."""
    import alembic.util  # noqa: PLC0415  # slow imports, as all of MLflow
    import requests  # noqa: PLC0415
    import sqlalchemy.exc  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    return (
        MlflowException,
        requests.RequestException,
        sqlalchemy.exc.SQLAlchemyError,
        alembic.util.CommandError,
        OSError,
    )


@dataclass(frozen=True)
class Store:
    """An open store. `artifacts` is the folder of artifacts, None where a server keeps them."""

    client: Any
    uri: str
    artifacts: Path | None

    @classmethod
    def open(cls, root: Path) -> Store:
        """The store of the checkout `root`, or the server that ``MLFLOW_TRACKING_URI`` names."""
        prepare()
        uri = os.environ.get("MLFLOW_TRACKING_URI", "")
        folder = (root / "mlruns").resolve()
        if not uri:
            folder.mkdir(exist_ok=True)
        from mlflow.tracking import MlflowClient  # noqa: PLC0415  # seconds of imports

        own = f"sqlite:///{folder / 'mlflow.db'}"
        artifacts = None if uri else folder / "artifacts"
        with _alone(artifacts):
            return cls(MlflowClient(uri or own), uri or own, artifacts)

    def experiment(self, name: str) -> str:
        """The id of the experiment called `name`, made if need be.

        Raises
        ------
        SkredError
            The store was made where the checkout no longer is: its artifacts would be written there.
        """
        place = None if self.artifacts is None else (self.artifacts / name).as_uri()
        with _alone(self.artifacts):
            found = self.client.get_experiment_by_name(name)
            if found is None:
                return str(self.client.create_experiment(name, artifact_location=place))
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        if place is not None and found.artifact_location.rstrip("/") != place:
            raise SkredError(
                f"{self.uri}: keeps its files in {found.artifact_location}, wanted {place}; "
                "the checkout has moved: move mlruns/ away and run `skred track`, which makes it anew"
            )
        return str(found.experiment_id)

    def runs(self, experiment: str, key: str | None = None) -> list[Any]:
        """The runs of an experiment that skred made, oldest first; with `key`, only those of that key."""
        found: list[Any] = []
        token = None
        while True:
            page = self.client.search_runs(
                [experiment],
                filter_string=f"tags.`{KEY}` = '{key}'" if key else "",
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            found += [run for run in page if KEY in run.data.tags]
            token = page.token
            if not token:
                return found

    def create(self, experiment: str, name: str, key: str, kind: str = CELL) -> Any:
        """A new run of what is called `name`, a cell or a whole pipeline, marked as running."""
        return self.client.create_run(experiment, tags={KEY: key, kind: name}, run_name=name)

    def by_key(self, experiment: str) -> dict[str, Any]:
        """The runs of an experiment by key. Of two with one key, which two processes may have made at the same moment,
        the older is kept."""
        found: dict[str, Any] = {}
        for run in self.runs(experiment):
            if found.setdefault(run.data.tags[KEY], run) is not run:
                self.client.delete_run(run.info.run_id)
        return found

    def tag_commit(self, run: Any, git: Mapping[str, str]) -> None:
        """Keep the first commit that holds the state of the run; one with changes on top gives way to it."""
        known = run.data.tags
        if git and known.get("git.dirty") != "no" and any(known.get(name) != value for name, value in git.items()):
            self.log_text(run.info.run_id, {}, git)

    def log_text(self, run: str, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Parameters, which must not contradict those already there, and tags."""
        from mlflow.entities import Param, RunTag  # noqa: PLC0415

        for part in _parts([Param(name, value) for name, value in params.items()]):
            self.client.log_batch(run, params=part)
        for part in _parts([RunTag(name, value) for name, value in tags.items()]):
            self.client.log_batch(run, tags=part)

    def log_rows(self, run: str, rows: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Points of curves. The time of a point is its step: the same point again is the same point, never a second."""
        from mlflow.entities import Metric  # noqa: PLC0415

        points = [Metric(name, value, step, step) for step, row in rows for name, value in row.items()]
        for part in _parts(points):
            self.client.log_batch(run, metrics=part)

    def log_values(self, run: str, values: Mapping[str, float]) -> None:
        """Single numbers: what is new stands at step 0, what has changed one step after its last value."""
        known = self.client.get_run(run).data.metrics
        changed: list[tuple[int, dict[str, float]]] = []
        for name, value in values.items():
            if name not in known:
                changed.append((0, {name: value}))
            elif known[name] != value:
                last = max(point.step for point in self.client.get_metric_history(run, name))
                changed.append((last + 1, {name: value}))
        self.log_rows(run, changed)

    def contradicts(self, run: Any, params: Mapping[str, str], rows: Sequence[tuple[int, Mapping[str, float]]]) -> bool:
        """Whether `run` holds a parameter or a point of a curve that differs from these: neither can be taken back."""
        if any(run.data.params.get(name, value) != value for name, value in params.items()):
            return True
        new = {(name, step, value) for step, row in rows for name, value in row.items()}
        curves = {name for _, row in rows for name in row} & set(run.data.metrics)
        old = {
            (name, point.step, point.value)
            for name in curves
            for point in self.client.get_metric_history(run.info.run_id, name)
        }
        return not old <= new


def _alone(artifacts: Path | None) -> AbstractContextManager[object]:
    """While our own store is made: two processes that make the same tables or experiment would fail each other. A store
    that the user names is left to its owner. Raises TimeoutError after half a minute."""
    if artifacts is None:
        return nullcontext()
    return FileLock(artifacts.with_name(".lock"), timeout=30)


def _parts(items: list[Any]) -> list[list[Any]]:
    return [items[i : i + _AT_ONCE] for i in range(0, len(items), _AT_ONCE)]
