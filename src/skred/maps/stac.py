"""A map as a STAC item: what was made, from what, by which model, and where its files are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import shapely
from pyproj import Transformer

from skred.core.grid import Grid
from skred.core.scenes import SceneFolder
from skred.detectors.model import ModelCard
from skred.maps.caveats import NOT_A_CHANCE, SCORES, errs, learnt_from, misses

EXTENSIONS = (
    "https://stac-extensions.github.io/mlm/v1.6.0/schema.json",
    "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
)
_ARCHITECTURES = {
    "unet": ("U-Net", "Keras"),
    "cart": ("CART decision tree", "scikit-learn"),
    "cart_context": ("CART decision tree", "scikit-learn"),
    "forest": ("random forest", "scikit-learn"),
    "boosting": ("gradient-boosted trees", "scikit-learn"),
    "rule": ("thresholds on changes", "skred"),
}
_GEOPACKAGE, _COG = "application/geopackage+sqlite3", "image/tiff; application=geotiff; profile=cloud-optimized"


def stac_item(
    name: str, card: ModelCard, summary: dict[str, Any], scenes: SceneFolder, grid: Grid, model_files: Sequence[str]
) -> dict[str, Any]:
    """The item called `name`, as JSON; its assets are named relative to its own file, `model_files` are so too.

    No time of processing: the same inputs give the same item.
    """
    outline = _outline(grid)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": name,
        "geometry": shapely.geometry.mapping(outline),
        "bbox": [round(value, 7) for value in outline.bounds],
        "properties": {
            **_when(scenes),
            "title": f"Detections of {card.cell} on {summary['scene']}",
            "description": _description(summary),
            **_projection(grid),
            **_processing(summary),
            **_mlm(card),
            "skred:simulated": summary["simulated"],
            "skred:landslides": summary["landslides"],
            "skred:landslide_area_m2": summary["landslide_area_m2"],
            "skred:observable_share": summary["observable_share"],
            "skred:threshold": summary["threshold"],
            "skred:min_area_m2": summary["min_area_m2"],
            "skred:model_sha256": summary["model_sha256"],
            "skred:trained_on": summary["trained_on"],
            "skred:trained_on_simulated": summary["trained_on_simulated"],
            **{f"skred:{name}": summary[name] for name in SCORES},
        },
        "links": [],
        "assets": _assets(name) | _model_assets(card, model_files),
    }


def _outline(grid: Grid) -> shapely.Polygon:
    to_lonlat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    ring = shapely.box(*grid.bounds).segmentize(10_000)  # a straight edge of UTM is curved in degrees
    points = (to_lonlat.transform(x, y) for x, y in shapely.get_coordinates(ring))
    return shapely.Polygon([(round(lon, 7), round(lat, 7)) for lon, lat in points])


def _when(scenes: SceneFolder) -> dict[str, Any]:
    about = scenes.index.about
    if not {"pre", "post", "date"} <= set(about):
        # An imported image need not say its day; STAC then wants both ends of an interval, the widest there is.
        return {"datetime": None, "start_datetime": "1970-01-01T00:00:00Z", "end_datetime": "2100-01-01T00:00:00Z"}
    return {
        "datetime": f"{about['date']}T00:00:00Z",  # day of the event
        "start_datetime": f"{about['pre']['first']}T00:00:00Z",
        "end_datetime": f"{about['post']['last']}T23:59:59Z",
    }


def _description(summary: dict[str, Any]) -> str:
    kind = "SIMULATED pixels: no landslide here is real. " if summary["simulated"] else ""
    return (
        f"{kind}{learnt_from(summary)} Where probability is at least {summary['threshold']:g} and the connected area "
        f"at least {summary['min_area_m2']:g} m². {100 * summary['observable_share']:.0f} % of the area was "
        f"observable: elsewhere nothing can be said (layer `observable`). {errs(summary)} {misses(summary)}"
    )


def _projection(grid: Grid) -> dict[str, Any]:
    return {
        "proj:code": grid.crs,
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform)[:6],
        "proj:bbox": list(grid.bounds),
    }


def _processing(summary: dict[str, Any]) -> dict[str, Any]:
    sensors = {"optical": "Sentinel-2 level 2A", "radar": "Sentinel-1 ground range detected"}
    used = " and ".join(sensors[sensor] for sensor in summary["sensors"])
    return {
        "processing:level": "L4",
        "processing:lineage": f"{used} composites before and after the event, model {summary['model_sha256'][:12]}, "
        "threshold, minimum mapping unit",
        "processing:software": {"skred": "0.1.0"},
    }


def _mlm(card: ModelCard) -> dict[str, Any]:
    architecture, framework = _ARCHITECTURES.get(card.detector, (card.detector, "scikit-learn"))
    inputs, window = card.inputs, card.sliding.window_px
    return {
        "mlm:name": card.cell,
        "mlm:architecture": architecture,
        "mlm:framework": framework,
        "mlm:tasks": ["semantic-segmentation"],
        "mlm:pretrained": False,
        "mlm:input": [
            {
                "name": "normalised bands, then one channel per sensor that says where it is known",
                "bands": list(inputs.channel_names),
                "input": {
                    "shape": [-1, window, window, inputs.channels],
                    "dim_order": ["batch", "height", "width", "bands"],
                    "data_type": "float32",
                },
                "value_scaling": [
                    {"type": "z-score", "mean": mean, "stddev": std}
                    for mean, std in zip(inputs.mean, inputs.std, strict=True)
                ]
                + [{"type": "scale", "value": 1} for _ in inputs.sensors],
                "resize_type": None,
                "pre_processing_function": None,
            }
        ],
        "mlm:output": [
            {
                "name": "probability of a landslide",
                "tasks": ["semantic-segmentation"],
                "result": {
                    "shape": [-1, window, window],
                    "dim_order": ["batch", "height", "width"],
                    "data_type": "float32",
                },
                "classification:classes": [{"value": 1, "name": "landslide"}],
                "post_processing_function": None,
            }
        ],
    }


def _assets(name: str) -> dict[str, Any]:
    return {
        "landslides": {
            "href": f"./{name}.gpkg",
            "type": _GEOPACKAGE,
            "title": "polygons, what was observable, the area, with QGIS styles",
            "roles": ["data"],
        },
        "geojson": {
            "href": f"./{name}.geojson",
            "type": "application/geo+json",
            "title": "the polygons in WGS84",
            "roles": ["data"],
        },
        "probability": {
            "href": f"./{name}.probability.tif",
            "type": _COG,
            "title": f"probability of a landslide ({NOT_A_CHANCE}), nodata where the setting had no image",
            "roles": ["data"],
            "bands": [{"name": "probability", "data_type": "float32", "unit": "1", "nodata": "nan"}],
        },
        "style": {
            "href": f"./{name}.probability.qml",
            "type": "application/xml",
            "title": "QGIS style of the probability",
            "roles": ["metadata"],
        },
    }


def _model_assets(card: ModelCard, files: Sequence[str]) -> dict[str, Any]:
    """The model's files: its card `model`, which the extension wants, and what it learnt, by name."""
    artifact = _ARCHITECTURES.get(card.detector, ("", "other"))[1].lower()
    assets: dict[str, Any] = {}
    for href in files:
        name = PurePosixPath(href).name
        is_card = name == "model.json"
        assets["model" if is_card else f"model:{name}"] = {
            "href": href,
            "type": "application/json" if name.endswith(".json") else "application/octet-stream",
            "title": "the model that drew it: bands, normalisation, threshold" if is_card else "a file of that model",
            "roles": ["mlm:model"] if is_card else ["mlm:weights"],
            "mlm:artifact_type": artifact,
        }
    return assets
