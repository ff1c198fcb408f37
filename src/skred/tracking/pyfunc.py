"""A trained model as an MLflow model: one ``mlflow.pyfunc`` around our own loader.

``mlflow.pyfunc.load_model(uri).predict(x)`` takes raw band values, float32 of shape (N, bands, H, W) in the order of
the model's metadata ``bands``, NaN where unknown, and gives probabilities, float32 of shape (N, H, W). It needs the
package `skred` beside it.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.detectors.model import Model, ModelCard, load_model, read_card
from skred.tracking.store import Store

NAME = "model"
_EXAMPLE_PX = 8
_NEEDS = ("mlflow", "numpy", "pydantic", "pyyaml", "rasterio")  # beside skred itself, to load any model
_DETECTOR_NEEDS = {"unet": ("keras", "tensorflow"), "rule": ()}  # the others: scikit-learn, saved by skops


class Predictor:
    """What MLflow calls."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of a landslide, shape (N, H, W), from raw bands, shape (N, bands, H, W)."""
        return np.stack([self.model.probability(list(scene)) for scene in x])


def _load_pyfunc(path: str) -> Predictor:
    """What MLflow calls to load the model folder `path`."""
    model, _ = load_model(Path(path))
    return Predictor(model)


def log_model(store: Store, experiment: str, run: Any, folder: Path) -> None:
    """Record the model folder `folder` as the one model of `run`; an older one of the same run goes."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus  # noqa: PLC0415  # seconds of imports

    client, run_id = store.client, run.info.run_id
    for old in client.search_logged_models([experiment], filter_string=f"source_run_id = '{run_id}'"):
        client.delete_logged_model(old.model_id)
    detector = read_card(folder).detector
    made = client.create_logged_model(experiment, name=NAME, source_run_id=run_id, model_type=detector)
    with TemporaryDirectory() as temporary:
        # Not `mlflow.pyfunc.log_model`: it would load every model to try its example, and so import TensorFlow.
        packed = Path(temporary) / NAME
        _pack(folder, packed, made.artifact_location, made.model_id, run_id)
        client.log_model_artifacts(made.model_id, str(packed))
    client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=0)])


def _pack(folder: Path, packed: Path, place: str, model_id: str, run_id: str) -> None:
    import mlflow.pyfunc  # noqa: PLC0415
    from mlflow.models import Model as Description  # noqa: PLC0415

    card = read_card(folder)
    mlflow.pyfunc.save_model(
        path=str(packed),
        mlflow_model=Description(artifact_path=place, run_id=run_id, model_id=model_id, model_uuid=model_id),
        loader_module=__name__,
        data_path=str(folder),
        signature=_signature(card),
        input_example=_example(card),
        # named, because to infer them MLflow would ask the network
        pip_requirements=[
            f"{name}=={version(name)}"
            for name in (*_NEEDS, *_DETECTOR_NEEDS.get(card.detector, ("scikit-learn", "skops")))
        ],
        metadata={
            "cell": card.cell,
            "setting": card.setting,
            "detector": card.detector,
            "bands": [band.model_dump(mode="json") for band in card.inputs.bands],
            "threshold": card.threshold,
            "trained_on": card.trained_on,
            "simulated": card.simulated,
        },
    )


def _signature(card: ModelCard) -> Any:
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import Schema, TensorSpec  # noqa: PLC0415

    number = np.dtype(np.float32)
    return ModelSignature(
        inputs=Schema([TensorSpec(number, (-1, len(card.inputs.bands), -1, -1))]),
        outputs=Schema([TensorSpec(number, (-1, -1, -1))]),
    )


def _example(card: ModelCard) -> NDArray[np.float32]:
    """One small scene in which every band is at its training mean, shape (1, bands, 8, 8)."""
    mean = np.asarray(card.inputs.mean, np.float32)[None, :, None, None]
    return np.ascontiguousarray(np.broadcast_to(mean, (1, len(card.inputs.mean), _EXAMPLE_PX, _EXAMPLE_PX)))
