"""Cut the scenes of a folder into patches: read a scene, divide it, write its windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skred.core.bands import band_names
from skred.core.errors import InputError
from skred.core.grid import Window
from skred.core.json_file import write_json
from skred.core.raster import Raster, atomic_folder, write_cog
from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.patches.correlogram import correlogram
from skred.patches.params import PatchParams, SplitKind
from skred.patches.split import (
    Split,
    assign_at_random,
    block_ids,
    imbalance,
    lay_buffer,
    settle_borders,
)
from skred.patches.store import INDEX_COLUMNS, PatchIndex
from skred.patches.windows import windows_of_split

_SPLITS = (Split.TRAIN, Split.VAL, Split.TEST)


@dataclass(frozen=True)
class Divided:
    """One scene, divided. Arrays of shape (H, W): labels for training, split codes for scoring, block numbers."""

    labels: NDArray[np.uint8]
    split: NDArray[np.uint8]
    blocks: NDArray[np.int32]


def divide(labels: NDArray[np.uint8], kind: SplitKind, params: PatchParams) -> Divided:
    """Divide one scene by spatial blocks with a buffer, or (`random`) by windows without one."""
    return _at_random(labels, params) if kind == "random" else _by_blocks(labels, params)


def _by_blocks(labels: NDArray[np.uint8], params: PatchParams) -> Divided:
    """The best balanced of `draws` random assignments of blocks: chance alone would now and then put half of the
    landslides into one split or the buffer. Which block goes where stays a matter of chance."""
    rng = np.random.default_rng(params.seed)
    shares = (params.val_share, params.test_share)
    blocks = block_ids(labels.shape, params.block_px)
    best, least = None, np.inf
    for _ in range(params.draws):
        codes = assign_at_random(int(blocks.max()) + 1, shares, rng)
        training_labels, split = settle_borders(labels, codes[blocks])
        split = lay_buffer(split, params.buffer_px)
        miss = imbalance(labels, training_labels, split, shares)
        if miss < least:
            best, least = Divided(training_labels, split, blocks), miss
    assert best is not None  # noqa: S101 - there is at least one draw
    return best


def _at_random(labels: NDArray[np.uint8], params: PatchParams) -> Divided:
    """Windows to splits at random. Training keeps only as many windows as have the known pixels that windows of the
    blocked split show to training (the rest goes to the buffer, as do windows that the edge of the scene cuts off):
    otherwise a random split would look better for having more to learn from."""
    rng = np.random.default_rng(params.seed)
    windows = block_ids(labels.shape, params.window_px)
    codes = assign_at_random(int(windows.max()) + 1, (params.val_share, params.test_share), rng)
    blocked = _by_blocks(labels, params)
    shown = np.zeros(labels.shape, bool)
    for window in windows_of_split(blocked.split, Split.TRAIN, params.window_px, params.stride_px):
        shown[window.slices] = blocked.labels[window.slices] != UNKNOWN
    train = rng.permutation(np.flatnonzero(codes == Split.TRAIN))
    codes[train] = Split.BUFFER
    train = train[np.bincount(windows.ravel())[train] == params.window_px**2]
    known = np.bincount(windows.ravel(), labels.ravel() != UNKNOWN)[train].cumsum()
    if len(train):
        miss = np.abs(known - shown.sum())
        codes[train[: len(miss) - miss[::-1].argmin()]] = Split.TRAIN  # of two equal ones the larger
    return Divided(labels, codes[windows], windows)


def split_of_scenes(folder: SceneFolder, val_share: float) -> dict[str, Split]:
    """The split of every scene of an imported folder.

    Without scenes marked ``val``, validation is the last `val_share` of the ``train`` scenes in the order of their
    names: neighbours in a series often show one place, and a contiguous part keeps them together.

    Raises
    ------
    InputError
        There is nothing to train on.
    """
    named = {"train": Split.TRAIN, "val": Split.VAL, "test": Split.TEST, None: Split.TEST}
    splits = {scene.name: named[scene.split] for scene in folder.index.scenes}
    train = sorted(name for name, code in splits.items() if code == Split.TRAIN)
    if Split.VAL not in splits.values():
        for name in train[len(train) - max(1, round(val_share * len(train))) :]:
            splits[name] = Split.VAL
    if Split.TRAIN not in splits.values():
        raise InputError(f"{folder.path}: no scenes of split train left; wanted at least two in a folder 'train'")
    return splits


def make_patches(scenes: Path, kind: SplitKind, params: PatchParams, out: Path) -> PatchIndex:
    """Cut the folder of scenes `scenes` into the new folder of patches `out`, which appears only when it is whole.

    Raises
    ------
    InputError
        `scenes` is no folder of scenes; a scene is smaller than a window; a split has no window at all; there is no
        landslide to train on.
    """
    folder = SceneFolder.open(scenes)
    names = band_names(folder.index.bands)
    by_scene = split_of_scenes(folder, params.val_share) if kind == "scenes" else {}
    with atomic_folder(out) as building:
        rows: list[tuple[object, ...]] = []
        x: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
        y: list[NDArray[np.uint8]] = []
        likeness: list[pd.DataFrame] = []
        for number, scene in enumerate(folder.names):
            labels = folder.labels(scene)
            if kind == "scenes":
                whole = np.full(labels.shape, by_scene[scene], np.uint8)
                divided = Divided(labels, whole, np.full(labels.shape, number, np.int32))
            else:
                divided = divide(labels, kind, params)
            tags = {"simulated": "yes" if folder.index.simulated else "no"}
            split_raster = Raster(divided.split[None], folder.grid(scene), ("split",), (), float(Split.OUTSIDE), tags)
            write_cog(building / f"{scene}.split.tif", split_raster)
            values = folder.bands(scene, names)
            if kind == "blocks":
                likeness += _likeness(scene, labels, values, names)
            for code in _SPLITS:
                for window in windows_of_split(divided.split, code, params.window_px, params.stride_px):
                    cut = window.slices
                    for name, band in zip(names, values, strict=True):
                        x[name].append(band[cut])
                    y.append(np.where(divided.split[cut] == code, divided.labels[cut], np.uint8(UNKNOWN)))
                    rows.append((scene, *window, _block(divided, window), code.name.lower(), _share(y[-1])))
        index = pd.DataFrame(rows, columns=list(INDEX_COLUMNS))
        _check(index, y, scenes, params)
        (building / "x").mkdir()
        for name in names:
            np.save(building / "x" / f"{name}.npy", np.stack(x.pop(name)))
        np.save(building / "y.npy", np.stack(y))
        if likeness:
            pd.concat(likeness).to_csv(building / "correlogram.csv", index=False, float_format="%.6g")
        index.to_csv(building / "index.csv", index=False, float_format="%.6f")
        about = PatchIndex(
            event=folder.index.event,
            simulated=folder.index.simulated,
            split=kind,
            bands=folder.index.bands,
            scenes=folder.names,
        )
        write_json(building / "patches.json", about.model_dump(mode="json"))
    return about


def _likeness(
    scene: str, labels: NDArray[np.uint8], values: NDArray[np.float32], names: Sequence[str]
) -> list[pd.DataFrame]:
    """Correlograms of the labels and of each band: blocks shall be larger than what is alike."""
    every = max(1, min(labels.shape) // 512)
    landslide = np.where(labels == UNKNOWN, np.nan, labels == LANDSLIDE)
    layers = {"landslide": landslide, **dict(zip(names, values, strict=True))}
    # a landslide is a few pixels wide: its labels need every pixel
    tables = {name: correlogram(layer, every_px=1 if name == "landslide" else every) for name, layer in layers.items()}
    return [table.assign(scene=scene, layer=name) for name, table in tables.items() if len(table)]


def _block(divided: Divided, window: Window) -> int:
    return int(divided.blocks[window.row + window.height // 2, window.col + window.width // 2])


def _share(labels: NDArray[np.uint8]) -> float:
    known = int((labels != UNKNOWN).sum())
    return float((labels == LANDSLIDE).sum() / known) if known else 0.0


def _check(index: pd.DataFrame, y: list[NDArray[np.uint8]], scenes: Path, params: PatchParams) -> None:
    for split in ("train", "val"):
        if not (index["split"] == split).any():
            raise InputError(
                f"{scenes}: no {split} window of {params.window_px} pixels fits; "
                "make patch.window_px, patch.block_px or patch.buffer_px smaller"
            )
        chosen = index.index[index["split"] == split]
        if not any((y[i] == LANDSLIDE).any() for i in chosen):
            raise InputError(f"{scenes}: no landslide in the {split} windows; use another patch.seed or more area")
