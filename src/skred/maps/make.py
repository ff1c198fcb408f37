"""A folder of maps: what people load into a GIS, for one model and one folder of scenes.

``<scene>-<cell>.gpkg``              layers `landslides`, `observable`, `aoi`, with their styles inside
``<scene>-<cell>.geojson``           the landslides in WGS84
``<scene>-<cell>.probability.tif``   whole thousandths, nodata NaN where the setting had no image; with a ``.qml``
``<scene>-<cell>.json``              the STAC item
``summary.json``                     the numbers that a person asks for first
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.core.errors import InputError
from skred.core.grid import Grid
from skred.core.json_file import read_json, write_json
from skred.core.raster import Raster, atomic_folder, read_raster, write_cog
from skred.core.scenes import SceneFolder
from skred.detectors.model import ModelCard, read_card
from skred.manifest import Manifest
from skred.maps import styles
from skred.maps.attributes import landslides
from skred.maps.caveats import NOT_A_CHANCE, known_scores
from skred.maps.geopackage import write_geojson, write_geopackage
from skred.maps.hashing import model_sha256
from skred.maps.layers import geopackage_layers
from skred.maps.objects import find_objects
from skred.maps.observing import observability
from skred.maps.params import MapParams
from skred.maps.stac import stac_item
from skred.maps.summary import days_to_last_image, summarise
from skred.patches.store import PatchFolder
from skred.scores.bins import BINS


@dataclass(frozen=True)
class Maker:
    """A model and how its probabilities become polygons."""

    model: Path
    card: ModelCard
    sha256: str
    params: MapParams
    unit_px: int | None  # minimum mapping unit that was chosen on validation, where that is known
    scores: dict[str, Any]  # `scores.json`, empty without one

    @classmethod
    def open(cls, model: Path, params: MapParams, scores: Path | None = None) -> Maker:
        """`scores` is the model's folder of scores, which has the minimum mapping unit that was chosen on validation.

        Raises
        ------
        InputError
            `model` is no model folder, `scores` no folder of scores or those of another model, or neither they nor the
            parameters name a minimum mapping unit.
        """
        card = read_card(model)
        known = {} if scores is None else read_json(scores / "scores.json", "run the evaluate stage")
        if known.get("cell", card.cell) != card.cell:
            raise InputError(f"{scores}: scores of {known['cell']}, wanted those of {card.cell} ({model})")
        threshold = known.get("threshold", card.threshold)
        if threshold != card.threshold:
            raise InputError(
                f"{scores}: scores of another training of {card.cell} (threshold {threshold:g}, the model's is "
                f"{card.threshold:g}); run the evaluate stage again"
            )
        unit_px = known.get("unit_px")
        if unit_px is None and params.min_area_m2 is None:
            raise InputError(
                f"{model}: no minimum mapping unit; give --scores, the model's folder of scores, which has the one "
                "chosen on validation, or set map.polygons.min_area_m2"
            )
        return cls(model, card, model_sha256(model), params, unit_px, known)

    def min_area_m2(self, grid: Grid) -> float:
        """The minimum mapping unit on a grid: the parameter, or what was chosen on validation."""
        if self.params.min_area_m2 is not None:
            return self.params.min_area_m2
        return float(self.unit_px or 1) * grid.resolution_m**2

    def known_scores(self, grid: Grid) -> dict[str, Any]:
        """See `skred.maps.caveats.known_scores`; nothing is known at another minimum mapping unit than was scored."""
        scored = self.unit_px is not None and self.min_area_m2(grid) == self.unit_px * grid.resolution_m**2
        return known_scores(self.scores if scored else {})

    def files_from(self, folder: Path) -> list[str]:
        """The model's files as seen from `folder`, relative, in the order of their names."""
        names = sorted(file.name for file in self.model.iterdir() if file.is_file() and file.name != "history.csv")
        return [Path(os.path.relpath(self.model / name, folder)).as_posix() for name in names]

    @property
    def sensors(self) -> tuple[str, ...]:
        """The satellites that the setting reads."""
        return tuple(sensor for sensor in self.card.inputs.sensors if sensor != "terrain")


def make_maps(
    maker: Maker,
    scenes: SceneFolder,
    probability: Path,
    out: Path,
    *,
    manifest: Manifest | None = None,
    patches: PatchFolder | None = None,
) -> list[dict[str, Any]]:
    """Write the maps of every scene of a folder into `out`, which appears only when it is whole.

    Parameters
    ----------
    probability
        Folder with ``<scene>.tif`` per scene.
    manifest
        Of the event's download, for the day of the last image; None where images were imported.
    patches
        The patches that the model was trained on, where these are the scenes that they were cut from: polygons then
        say in which split they lie, and the layer `aoi` has the splits' outlines.

    Returns
    -------
    The summary of every scene, as in ``summary.json``.

    Raises
    ------
    InputError
        A scene has no place on Earth, or its probability raster lies elsewhere.
    SkredError
        A raster is missing or broken.
    """
    with atomic_folder(out) as building:
        summaries = [
            _map_scene(maker, scenes, scene, probability, building, manifest, patches) for scene in scenes.names
        ]
        write_json(building / "summary.json", summaries)
    return summaries


def _map_scene(
    maker: Maker,
    scenes: SceneFolder,
    scene: str,
    probability: Path,
    out: Path,
    manifest: Manifest | None,
    patches: PatchFolder | None,
) -> dict[str, Any]:
    grid, raster = scenes.grid(scene), read_raster(probability / f"{scene}.tif")
    if grid.crs is None:
        raise InputError(
            f"{scenes.path}: scene {scene} has no CRS, so its landslides have no place; import it with one"
        )
    if raster.grid != grid:
        raise InputError(f"{probability / scene}.tif: lies on another grid than the scene; predict it again")
    seen = observability(scenes, scene, maker.sensors)
    # A pixel without any image has probability 0 for the scores; on a map that would read as "no landslide".
    shown = maker.card.inputs.has_image(list(scenes.bands(scene, maker.card.inputs.names)))
    values = np.where(shown, _whole_thousandths(raster.array[0]), np.float32(np.nan))
    split = None if patches is None else patches.split_raster(scene)
    pixel_m2 = grid.resolution_m**2
    objects = find_objects(
        values,
        maker.card.threshold,
        min_pixels=maker.min_area_m2(grid) / pixel_m2,
        hole_pixels=maker.params.fill_holes_m2 / pixel_m2,
    )
    layers = {name: _layer(scenes, scene, name) for name in ("elevation", "slope")}
    days = days_to_last_image(scenes, manifest, maker.sensors)
    same = _same_for_all(maker, scenes, grid, days)
    frame = landslides(
        objects,
        grid,
        probability=values,
        spread=raster.band("spread") if "spread" in raster.names else None,
        elevation=layers["elevation"],
        slope=layers["slope"],
        seen=seen,
        split=split,
        same_for_all=same,
    )
    summary = summarise(same, scenes, scene, grid, frame, seen)
    summary |= {"sensors": list(maker.sensors), **maker.known_scores(grid)}
    name = f"{scene}-{maker.card.cell}"
    write_geopackage(out / f"{name}.gpkg", geopackage_layers(frame, seen, split, grid, summary))
    write_geojson(out / f"{name}.geojson", frame)
    tags = {
        "event": scenes.index.event,
        "cell": maker.card.cell,
        "simulated": _yes(scenes.index.simulated),
        "trained_on": maker.card.trained_on,
        "trained_on_simulated": _yes(maker.card.simulated),
        "probability": NOT_A_CHANCE,
    }
    write_cog(
        out / f"{name}.probability.tif",
        Raster(values[None], grid, ("probability",), ("1",), float("nan"), tags),
    )
    (out / f"{name}.probability.qml").write_text(styles.probability_qml(maker.card.threshold), encoding="utf-8")
    write_json(out / f"{name}.json", stac_item(name, maker.card, summary, scenes, grid, maker.files_from(out)))
    return summary


def _whole_thousandths(probability: NDArray[Any]) -> NDArray[np.float32]:
    """Rounded down as the scores count them, so that a user's ``>= threshold`` finds the same pixels: the float32
    next to each thousandth that is not below it, as GIS compare with the decimal number in float64."""
    scaled = np.floor(np.round(probability.astype(np.float64), 6) * BINS + 1e-9) / BINS
    near = scaled.astype(np.float32)
    return np.asarray(np.where(near < scaled, np.nextafter(near, np.float32(np.inf)), near), np.float32)


def _layer(scenes: SceneFolder, scene: str, name: str) -> NDArray[np.float32] | None:
    known = {band.name for band in scenes.index.bands}
    return scenes.bands(scene, [name])[0] if name in known else None


def _same_for_all(maker: Maker, scenes: SceneFolder, grid: Grid, days: int | None) -> dict[str, Any]:
    return {
        "days_to_last_image": days,
        "event": scenes.index.event,
        "cell": maker.card.cell,
        "setting": maker.card.setting,
        "detector": maker.card.detector,
        "model_sha256": maker.sha256,
        "trained_on": maker.card.trained_on,
        "trained_on_simulated": maker.card.simulated,
        "threshold": maker.card.threshold,
        "min_area_m2": maker.min_area_m2(grid),
        "simulated": scenes.index.simulated,
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"
