"""Small folders of scenes and patches that several rooms' tests stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from skred.core.bands import Band
from skred.core.grid import Grid
from skred.core.scenes import QUALITY_LAYERS, SceneEntry, SceneFolder, SceneIndex, write_index, write_scene
from skred.patches.make import make_patches
from skred.patches.params import PatchParams
from skred.patches.store import PatchFolder


def band(name: str, sensor: Any = "optical", clip: tuple[float, float] = (-10.0, 10.0)) -> Band:
    return Band(name=name, meaning=name, unit="1", sensor=sensor, clip=clip)


# A busy machine is no failure: pytest-timeout ends what hangs.
settings.register_profile("skred", deadline=None)
settings.load_profile("skred")

SceneMaker = Callable[..., SceneFolder]
PatchMaker = Callable[..., PatchFolder]


@pytest.fixture(scope="session")
def make_scenes() -> SceneMaker:
    """``make(path, {scene: labels}, bands, values={scene: (bands, H, W)}, ...)`` writes a folder of scenes."""

    def make(
        path: Path,
        labels: Mapping[str, Any],
        bands: Sequence[Band] = (band("dndvi"), band("post_vv", "radar")),
        *,
        values: Mapping[str, Any] | None = None,
        quality: Mapping[str, Any] | None = None,
        splits: Mapping[str, Any] | None = None,
        event: str = "toy",
        role: Any = "develop",
        simulated: bool = False,
        crs: str | None = "EPSG:32632",
    ) -> SceneFolder:
        for scene, label in labels.items():
            grid = Grid(crs, 300_000.0, 6_800_000.0, 10.0, label.shape[1], label.shape[0])
            if crs is None:
                grid = Grid(None, 0.0, 0.0, 1.0, label.shape[1], label.shape[0])
            rng = np.random.default_rng(7)
            pixels = rng.normal(size=(len(bands), *label.shape)) if values is None else values[scene]
            seen = np.ones((len(QUALITY_LAYERS), *label.shape), np.uint8) if quality is None else quality[scene]
            tags = {"simulated": "yes" if simulated else "no"}
            write_scene(
                path,
                scene,
                grid=grid,
                bands=bands,
                values=np.asarray(pixels, np.float32),
                quality=seen,
                labels=label,
                tags=tags,
            )
        entries = tuple(SceneEntry(name=name, split=(splits or {}).get(name)) for name in labels)
        index = SceneIndex(event=event, role=role, simulated=simulated, bands=tuple(bands), scenes=entries)
        write_index(path, index)
        return SceneFolder.open(path)

    return make


@pytest.fixture(scope="session")
def make_patch_folder() -> PatchMaker:
    """``make(scenes, out, kind, **params)`` cuts patches."""

    def make(scenes: Path, out: Path, kind: Any = "blocks", **changed: Any) -> PatchFolder:
        params = {
            "window_px": 16,
            "stride_px": 8,
            "block_px": 32,
            "buffer_px": 8,
            "val_share": 0.25,
            "test_share": 0.25,
            "draws": 50,
            "seed": 1,
        }
        make_patches(scenes, kind, PatchParams(**{**params, **changed}), out)
        return PatchFolder.open(out)

    return make
