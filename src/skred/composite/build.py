"""From the raw folder of one event to its bands, quality layers and labels."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skred.composite import labels, optical, radar, terrain
from skred.composite.params import CompositeParams
from skred.composite.raw import (
    Track,
    acquisitions,
    check_manifest,
    read_ahead,
    read_bands,
    read_codes,
    track_of,
    tracks,
    utc,
)
from skred.core.bands import EVENT_BANDS, band_names
from skred.core.errors import InputError
from skred.core.events import Days, Event
from skred.core.grid import Grid
from skred.core.scenes import QUALITY_LAYERS, UNKNOWN
from skred.manifest import GeometryEntry, Manifest, read_manifest

When = Literal["pre", "post"]
Layers = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Composite:
    """One scene: `values` ``(13, H, W)`` float32 by `EVENT_BANDS`, `quality` ``(7, H, W)`` uint8 by
    `QUALITY_LAYERS`, `labels` ``(H, W)`` uint8; `about` for people, `warnings` one line each."""

    grid: Grid
    values: NDArray[np.float32]
    quality: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    simulated: bool
    about: dict[str, Any]
    warnings: tuple[str, ...]


def build(
    event: Event, raw: Path, params: CompositeParams, *, post_days: int | None = None, mapped: bool = True
) -> Composite:
    """Composite the raw folder `raw` of `event`; with `post_days`, of the passes of the second window only those until
    so many days after the event, as if it were that day. `mapped` is False where nobody has mapped its landslides yet:
    every label is unknown then.

    Raises
    ------
    SkredError
        A file is missing, broken, or on another grid.
    InputError
        The manifest or the inventory does not fit the event, or `post_days` ends before its second window begins.
    """
    manifest = read_manifest(raw)
    check_manifest(manifest, event, raw)
    if post_days is not None:
        event, manifest = until(event, manifest, post_days)
    grid = event.area.grid
    bands, quality = _optical(manifest, raw, grid, params)
    for part_bands, part_quality in (_radar(manifest, raw, grid, params), (_terrain(manifest, raw, grid), {})):
        bands |= part_bands
        quality |= part_quality
    inventory = _inventory(event, manifest, raw, grid) if mapped else labels.Inventory((), ())
    return Composite(
        grid=grid,
        values=np.stack([bands[name] for name in band_names(EVENT_BANDS)]),
        quality=np.stack([np.minimum(quality[name], 255).astype(np.uint8) for name in QUALITY_LAYERS]),
        labels=labels.rasterize(inventory, grid) if mapped else np.full(grid.shape, UNKNOWN, np.uint8),
        simulated=manifest.simulated or event.source == "simulated",
        about=_about(event, manifest, params, inventory),
        warnings=_warnings(event, quality),
    )


def until(event: Event, manifest: Manifest, post_days: int) -> tuple[Event, Manifest]:
    """The event and its manifest as they were known `post_days` days after it.

    Raises
    ------
    InputError
        The second window begins later than that.
    """
    last = event.date + dt.timedelta(days=post_days)
    if last < event.post.first:
        least = (event.post.first - event.date).days
        raise InputError(f"--post-days {post_days}: the second window of {event.name} begins {least} days after it")
    shorter = Days(first=event.post.first, last=min(last, event.post.last))
    kept = tuple(one for one in manifest.acquisitions if utc(one.time).date() <= last)
    return event.model_copy(update={"post": shorter}), manifest.model_copy(update={"acquisitions": kept})


def _optical(manifest: Manifest, raw: Path, grid: Grid, params: CompositeParams) -> tuple[Layers, Layers]:
    growth_px = params.optical.mask_growth_m / grid.resolution_m

    def looks(window: When) -> Iterator[tuple[NDArray[np.uint16], NDArray[np.bool_]]]:
        files = [entry.file for entry in acquisitions(manifest, "S2", window)]
        for codes in read_ahead(lambda file: read_codes(raw, file, (*optical.COLOURS, "SCL"), grid), files):
            yield codes[:-1], optical.clear_mask(codes[-1], params.optical.dropped, growth_px)

    pre = optical.greenest(looks("pre"), grid.shape)
    post = optical.greenest(looks("post"), grid.shape)
    seen_pre, seen_post = (g.looks >= params.optical.min_clear for g in (pre, post))
    pre.ndvi[~seen_pre] = np.nan
    post.ndvi[~seen_post] = np.nan
    post.colours[:, ~seen_post] = np.nan
    blue, green, red, nir = post.colours
    bands = {"post_red": red, "post_green": green, "post_blue": blue, "post_nir": nir}
    bands |= {"pre_ndvi": pre.ndvi, "post_ndvi": post.ndvi, "dndvi": post.ndvi - pre.ndvi}
    quality = {"clear_pre": pre.looks, "clear_post": post.looks, "observable_optical": seen_pre & seen_post}
    return bands, quality


def _radar(manifest: Manifest, raw: Path, grid: Grid, params: CompositeParams) -> tuple[Layers, Layers]:
    mean = params.radar.mean
    geometry = tracks(manifest)
    blind: dict[Track, NDArray[np.bool_]] = {}
    seen: dict[Track, NDArray[np.bool_]] = {}
    for track, entry in geometry.items():
        blind[track], seen[track] = _view(raw, entry, grid)

    def sums(track: Track, window: When) -> radar.WindowSums:
        files = [entry.file for entry in acquisitions(manifest, "S1", window) if track_of(entry) == track]
        passes = read_ahead(lambda file: read_codes(raw, file, radar.POLARISATIONS, grid), files)
        return radar.sum_passes(passes, grid.shape, mean)

    nowhere = np.zeros(grid.shape, bool)
    result = radar.combine(
        (
            radar.TrackSums(
                sums(track, "pre"), sums(track, "post"), blind[track] if params.radar.drop_layover_shadow else nowhere
            )
            for track in geometry
        ),
        grid.shape,
        mean=mean,
        min_passes=params.radar.min_passes,
    )
    bands: Layers = {"pre_vv": result.pre_db[0], "pre_vh": result.pre_db[1]}
    bands |= {"post_vv": result.post_db[0], "post_vh": result.post_db[1]}
    all_blind = radar.blind_to_all(blind.values(), seen.values())
    quality: Layers = {
        "passes_pre": result.passes_pre,
        "passes_post": result.passes_post,
        "layover_shadow": nowhere if all_blind is None else all_blind,
        "observable_radar": result.tracks > 0,
    }
    return bands, quality


def _view(raw: Path, entry: GeometryEntry, grid: Grid) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    angle, mask = read_codes(raw, entry.file, ("localIncidenceAngle", "shadowMask"), grid)
    blind = mask != 0
    return blind, blind | (angle != 0)


def _terrain(manifest: Manifest, raw: Path, grid: Grid) -> Layers:
    elevation = read_bands(raw, manifest.dem.file, None, grid)[0].astype(np.float32)
    return {"elevation": elevation, "slope": terrain.slope_deg(elevation, grid.resolution_m)}


def _inventory(event: Event, manifest: Manifest, raw: Path, grid: Grid) -> labels.Inventory:
    if manifest.inventory is None:
        if event.role != "control":
            raise InputError(
                f"{raw / 'manifest.json'}: no inventory, but {event.name} has role {event.role}; "
                "give it the polygons of its landslides, or the role control"
            )
        return labels.Inventory((), ())
    if grid.crs is None:
        raise InputError(f"{event.name}: its grid has no CRS, so polygons cannot be placed on it")
    return labels.read_inventory(raw / manifest.inventory.file, grid.crs, event.pre.last, event.post.first)


def _about(event: Event, manifest: Manifest, params: CompositeParams, inventory: labels.Inventory) -> dict[str, Any]:
    about: dict[str, Any] = {
        "title": event.title,
        "date": event.date.isoformat(),
        "source": event.source,
        "service": manifest.service,
        "radar_mean": params.radar.mean,
        "inventory": {"landslides": len(inventory.landslides), "unknown": len(inventory.unknown)},
    }
    for window, days in (("pre", event.pre), ("post", event.post)):
        s2, s1 = acquisitions(manifest, "S2", window), acquisitions(manifest, "S1", window)
        passes = Counter(" ".join(map(str, track_of(entry))) for entry in s1)
        about[window] = {
            "first": days.first.isoformat(),
            "last": days.last.isoformat(),
            "optical_looks": len(s2),
            "optical_dates": sorted({entry.time.date().isoformat() for entry in s2}),
            "radar_passes": len(s1),
            "radar_passes_per_track": dict(sorted(passes.items())),
        }
    return about


def _warnings(event: Event, quality: Layers) -> tuple[str, ...]:
    lines = {
        "observable_optical": "no pixel has enough clear optical looks before and after; the optical bands are unknown",
        "observable_radar": "no pixel has enough radar passes before and after; the radar bands are unknown",
    }
    return tuple(f"{event.name}: {line}" for layer, line in lines.items() if not quality[layer].any())
