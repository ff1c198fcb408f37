"""What the rule's false pixels lie on, as the simulated world knows it."""

from __future__ import annotations

import numpy as np

from skred.check_world.composites import Composited, passes, rendered
from skred.check_world.marginals import Line
from skred.check_world.rule import rule
from skred.composite.optical import CLOUD_AND_SHADOW
from skred.composite.params import CompositeParams
from skred.core.scenes import LANDSLIDE
from skred.world.confounders import ClearRule, Confounder
from skred.world.world import World

DNDVI, SLOPE_DEG = -0.2, 17.5  # about what tuning chooses on most places


def false_pixel_lines(world: World, result: Composited, params: CompositeParams) -> list[Line]:
    """Pixels that the rule with fixed thresholds finds and nobody mapped: how many, and on what share of them which
    confounder lies; of those under cloud, the share whose clearest kept look is still under dense cloud."""
    optical = params.optical
    kept = ClearRule(optical.dropped, CLOUD_AND_SHADOW, optical.mask_growth_m, optical.min_clear)
    found = rule(result.bands["dndvi"], result.bands["slope"], DNDVI, SLOPE_DEG)
    false = found & (result.labels != LANDSLIDE)
    name = f"false pixels of dNDVI < {DNDVI:g} above {SLOPE_DEG:g} deg"
    lines = [Line(name, "count", "-", float(false.sum()))]
    if not false.any():
        return lines
    codes = world.confounders(kept)
    for code in Confounder:
        lines.append(
            Line(
                f"{name}: on {code.name.lower().replace('_', ' ')}",
                "%",
                "-",
                float(100 * (codes[false] == code).mean()),
            )
        )
    lines.append(Line(f"{name}: on nothing known", "%", "-", float(100 * (codes[false] == 0).mean())))
    remnant = false & (codes == Confounder.CLOUD_REMNANT)
    if remnant.any():
        thinnest = np.full(world.grid.shape, np.inf, np.float32)
        flown = passes(world, "S2", after=True)
        for one, look in zip(flown, rendered(world, flown), strict=True):
            opacity, _ = world.cloud(one, world.grid.whole)
            clear = kept.kept(look["SCL"], world.grid.resolution_m)
            thinnest = np.where(clear, np.minimum(thinnest, opacity), thinnest)
        dense = thinnest[remnant] > world.params.optics.scl_cloud_opacity[2]
        lines.append(
            Line(f"{name}: of those on cloud remnant, under dense cloud at best", "%", "-", float(100 * dense.mean()))
        )
    return lines
