"""Where the images could have shown a landslide, and why not elsewhere. A low count does not prove absence.

Judged for the sensors that a setting reads: a radar model sees through cloud, an optical one into layover.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from skred.core.scenes import SceneFolder


class Seen(IntEnum):
    """How well the ground was seen. Of several reasons the first that applies is given."""

    FULLY = 1  # by every sensor of the setting, before and after
    RADAR_ONLY = 2  # by radar, of a setting that reads both
    OPTICS_ONLY = 3  # by optics, of a setting that reads both
    LAYOVER_SHADOW = 4  # every radar track sees layover or radar shadow there
    CLOUD = 5  # there are images, but none that shows this ground clear before and after
    NO_PASS = 6  # too few radar passes, or no image at all, of optics perhaps none clear enough to be fetched


WORDS = {
    Seen.FULLY: "observable",
    Seen.RADAR_ONLY: "radar only: cloud, shadow, snow or outside the image in every optical look before or after",
    Seen.OPTICS_ONLY: "optics only: layover, radar shadow or outside the image, or too few radar passes",
    Seen.LAYOVER_SHADOW: "layover or radar shadow in every track",
    Seen.CLOUD: "cloud, shadow, snow or outside the image in every look before or after",
    Seen.NO_PASS: "no image: no pass, too few, or all too cloudy to be fetched",
}


def observability(folder: SceneFolder, scene: str, sensors: Collection[str]) -> NDArray[np.uint8]:
    """Codes of `Seen` for every pixel of a scene, shape ``(H, W)``.

    `sensors` are those of the setting; terrain is always known and shows no event.
    """
    looked = [sensor for sensor in ("optical", "radar") if sensor in sensors]
    views = [folder.quality(scene, f"observable_{sensor}") > 0 for sensor in looked]
    shape = folder.grid(scene).shape
    codes = np.full(shape, Seen.NO_PASS, np.uint8)
    if not views:
        return codes
    if "optical" in looked and not _no_looks(folder):
        codes[~views[looked.index("optical")]] = Seen.CLOUD
    if "radar" in looked:
        hidden = ~views[looked.index("radar")]
        codes[hidden & (folder.quality(scene, "layover_shadow") > 0)] = Seen.LAYOVER_SHADOW
    if len(views) == 2:
        codes[views[0] & ~views[1]] = Seen.OPTICS_ONLY
        codes[views[1] & ~views[0]] = Seen.RADAR_ONLY
    codes[np.logical_and.reduce(views)] = Seen.FULLY
    return codes


def _no_looks(folder: SceneFolder) -> bool:
    """Whether a window has no optical image at all, so that cloud cannot be the reason."""
    windows = [folder.index.about.get(window, {}) for window in ("pre", "post")]
    return any(window.get("optical_looks") == 0 for window in windows)
