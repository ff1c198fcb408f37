"""A small event with a model card, probabilities and a download's manifest: what `make_maps` stands on."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np

from skred.core.bands import EVENT_BANDS, Band, band_names, select
from skred.core.grid import Grid
from skred.core.json_file import write_json
from skred.core.raster import Raster, write_cog
from skred.core.scenes import QUALITY_LAYERS, SceneEntry, SceneFolder, SceneIndex, write_index, write_scene
from skred.detectors.base import Sliding
from skred.detectors.inputs import Inputs
from skred.detectors.model import ModelCard
from skred.manifest import AcquisitionEntry, FetchedEntry, Manifest
from skred.maps.make import Maker, make_maps
from skred.maps.params import MapParams

PARAMS = MapParams(min_area_m2=300, fill_holes_m2=100)
ABOUT = {
    "title": "A toy storm",
    "date": "2019-07-30",
    "pre": {"first": "2019-06-30", "last": "2019-07-29", "optical_looks": 3},
    "post": {"first": "2019-07-31", "last": "2019-08-29", "optical_looks": 3},
}


def card(names: tuple[str, ...] = ("dndvi", "pre_vv", "post_vv"), **changed: Any) -> ModelCard:
    bands = select(EVENT_BANDS, names, where="test")
    return ModelCard(
        **{
            "cell": "fusion-cart",
            "setting": "fusion",
            "detector": "cart",
            "inputs": Inputs(bands=bands, mean=(0.0,) * len(bands), std=(1.0,) * len(bands)),
            "trained_on": "toy",
            "simulated": True,
            "threshold": 0.5,
            "validation": {"f1": 0.5, "recall": 0.5, "precision": 0.5, "mcc": 0.5, "auprc": 0.5},
            "chosen": {"depth": 3.0},
            "sliding": Sliding(window_px=64, margin_px=8, batch=4),
            **changed,
        }
    )


def write_model(folder: Path, model: ModelCard) -> Path:
    folder.mkdir(parents=True)
    (folder / "tree.skops").write_bytes(b"a tree")
    write_json(folder / "model.json", model.model_dump(mode="json"))
    return folder


FETCHED = {"key": "0", "request_sha256": "0", "evalscript_sha256": "0", "spent_pu": 0.1}


def manifest(event: str = "toy") -> Manifest:
    def entry(sensor: Any, month: int, day: int, **changed: Any) -> AcquisitionEntry:
        fields = {
            "id": f"{sensor}{day}",
            "sensor": sensor,
            "window": "pre" if month == 7 else "post",
            "time": dt.datetime(2019, month, day, 10, tzinfo=dt.UTC),
            "platform": f"{sensor}A",
            "orbit_direction": "ascending" if sensor == "S1" else None,
            "relative_orbit": 44,
            "cloud_cover_percent": None,
            "file": f"{sensor}{day}.tif",
            "footprint_wkt": None,
            "valid_share": 1.0,
        }
        return AcquisitionEntry(**{**fields, **FETCHED, **changed})

    return Manifest(
        event=event,
        simulated=True,
        service="offline",
        acquisitions=(
            entry("S1", 7, 15),
            entry("S1", 8, 20),
            entry("S1", 8, 25, relative_orbit=117),  # a track that was not there before
            entry("S2", 7, 10),
            entry("S2", 8, 11, cloud_cover_percent=60.0),
            entry("S2", 8, 28, cloud_cover_percent=100.0),
            entry("S2", 8, 29, valid_share=0.0),
        ),
        geometry=(),
        dem=FetchedEntry(file="dem.tif", **FETCHED),
        inventory=None,
        left_out=(),
    )


def write_event(
    folder: Path,
    probability: Any,
    *,
    labels: Any = None,
    quality: dict[str, Any] | None = None,
    event: str = "toy",
    role: Any = "unseen",
    crs: str | None = "EPSG:32632",
    bands: tuple[Band, ...] = EVENT_BANDS,
    unknown: dict[str, Any] | None = None,
) -> tuple[SceneFolder, Path]:
    """Scenes in ``<folder>/scenes`` and their probabilities in ``<folder>/probability``; `quality` and `unknown` change
    whole layers: masks of pixels that a layer or band does not know."""
    probability = np.asarray(probability, np.float32)
    shape = probability.shape
    grid = Grid(crs, 350_000.0, 6_800_000.0, 10.0, shape[1], shape[0]) if crs else Grid(None, 0, 0, 1.0, *shape[::-1])
    rng = np.random.default_rng(5)
    values = rng.uniform(0.02, 0.15, (len(bands), *shape)).astype(np.float32)
    names = list(band_names(bands))
    if "elevation" in names:
        values[names.index("elevation")] = 100 + 10 * np.arange(shape[0])[:, None]
        values[names.index("slope")] = 30
    for name, mask in (unknown or {}).items():
        values[names.index(name)][mask] = np.nan
    layers = np.ones((len(QUALITY_LAYERS), *shape), np.uint8)
    layers[QUALITY_LAYERS.index("layover_shadow")] = 0
    for name, layer in (quality or {}).items():
        layers[QUALITY_LAYERS.index(name)] = layer
    write_scene(
        folder / "scenes",
        event,
        grid=grid,
        bands=bands,
        values=values,
        quality=layers,
        labels=np.zeros(shape, np.uint8) if labels is None else np.asarray(labels, np.uint8),
        tags={"simulated": "yes"},
    )
    about = dict(ABOUT)
    index = SceneIndex(
        event=event, role=role, simulated=True, bands=bands, scenes=(SceneEntry(name=event),), about=about
    )
    write_index(folder / "scenes", index)
    raster = Raster(probability[None], grid, ("probability",), ("1",), float("nan"))
    write_cog(folder / "probability" / f"{event}.tif", raster)
    return SceneFolder.open(folder / "scenes"), folder / "probability"


def mapped(folder: Path, probability: Any, model: ModelCard | None = None, **changed: Any) -> Path:
    """The folder of maps of a small event."""
    model = model or card()
    scenes, predicted = write_event(folder, probability, **changed)
    maker = Maker.open(write_model(folder / "models" / model.cell, model), PARAMS)
    make_maps(maker, scenes, predicted, folder / "maps", manifest=manifest())
    return folder / "maps"
