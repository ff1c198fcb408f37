"""What a world is like, line by line, beside the numbers that it was meant to have: landslides, backscatter, cloud."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from skred.check_world.composites import Composited, Layers, passes
from skred.core.grid import Window
from skred.world.cover import FOREST, Cover
from skred.world.noise import Float
from skred.world.params import LandslideParams
from skred.world.world import World

FEW = 3  # landslides or pixels below which a line says nothing
CLOUD_CODES = (3, 8, 9, 10)  # SCL: cloud shadow, cloud of medium and high probability, cirrus
UNDER_CLOUD = 0.5  # opacity from which a pixel is truly under cloud, or light loss from which it is in its shadow


@dataclass(frozen=True)
class Line:
    """One measured quantity: its name, its unit, what was wanted (in words), and its value in this world."""

    name: str
    unit: str
    wanted: str
    value: float


def size_distribution(params: LandslideParams, area_m2: Float) -> Float:
    """Share of landslides smaller than `area_m2`: inverse gamma of Malamud et al. (2004, eq. 3), truncated."""
    ends = [params.size_a_m2 / (a - params.size_s_m2) for a in (params.area_max_m2, params.area_min_m2)]
    low, high = special.gammainc(params.size_rho, ends)
    x = params.size_a_m2 / (np.clip(area_m2, params.area_min_m2, params.area_max_m2) - params.size_s_m2)
    return np.asarray((high - special.gammainc(params.size_rho, x)) / (high - low))


def landslide_lines(world: World) -> list[Line]:
    """Sizes, slopes and shapes of the landslides that are really there."""
    slides = world.ground.slides.footprints
    area = np.array([slide.area_m2 for slide in slides])
    ratio = np.array([slide.length_m / slide.width_m for slide in slides])
    slope = np.array([slide.slope_deg for slide in slides])
    channel = np.array([slide.channelised for slide in slides])
    test = stats.kstest(area, lambda a: size_distribution(world.params.landslides, a))
    lines = [
        Line("sizes: Kolmogorov-Smirnov distance", "1", "small", float(test.statistic)),
        Line("sizes: p of that distance", "1", "> 0.05", float(test.pvalue)),
        Line("sizes: median", "m2", "1190", float(np.median(area))),
        Line("sizes: mean", "m2", "2540", float(area.mean())),
        Line("start slope: 10th percentile", "deg", ">= 25", float(np.quantile(slope, 0.1))),
        Line("start slope: median", "deg", "32-38", float(np.median(slope))),
        Line("start slope: 90th percentile", "deg", "<= 45", float(np.quantile(slope, 0.9))),
        Line("width: 10th percentile", "m", ">= 8", float(np.quantile([s.width_m for s in slides], 0.1))),
        Line("width: 90th percentile", "m", "<= 40", float(np.quantile([s.width_m for s in slides], 0.9))),
    ]
    for kind, chosen, wanted in (("open slope", ~channel, "4"), ("channelised", channel, "10-20")):
        if chosen.sum() >= FEW:
            lines.append(Line(f"length / width, {kind}: median", "1", wanted, float(np.median(ratio[chosen]))))
    return lines


def terrain_lines(world: World) -> list[Line]:
    """Relief and slope, and how far the elevation product is from the true ground."""
    terrain = world.ground.terrain
    error = world.dem(world.grid.whole) - terrain.height_m
    land = ~terrain.water
    relief = Line("relief", "m", "200-1500", float(np.ptp(terrain.height_m)))
    if not land.any():
        return [relief]
    return [
        relief,
        Line("slope of land: median", "deg", "15-30", float(np.median(terrain.slope_deg[land]))),
        Line("slope of land: 95th percentile", "deg", "walls 30-60", float(np.quantile(terrain.slope_deg[land], 0.95))),
        Line("error of the elevation product", "m", "2-4", float(error[land].std())),
    ]


def backscatter_lines(world: World, layers: Layers) -> list[Line]:
    """Median level of each class before the storm, away from snow, and the spread within it."""
    cover, lines = world.ground.landcover.cover, []
    snow_free = world.ground.change.snow_day < (world.event.pre.first - world.event.date).days
    for kind in (Cover.CONIFER, Cover.BIRCH, Cover.MEADOW, Cover.HEATH, Cover.TILL, Cover.ROCK, Cover.WATER):
        for p, band in enumerate(("pre_vv", "pre_vh")):
            level = layers[band][(cover == kind) & snow_free]
            level = level[np.isfinite(level)]
            if level.size > 100 * FEW:
                wanted = f"{getattr(world.params.backscatter, kind.name.lower())[p]:g}"
                name = f"{band[4:].upper()} of {kind.name.lower()}: median"
                lines.append(Line(name, "dB", wanted, float(np.median(level))))
    forest = np.isin(cover, (Cover.CONIFER, Cover.BIRCH)) & snow_free & np.isfinite(layers["pre_vv"])
    if forest.any():
        lines.append(Line("VV of forest: standard deviation", "dB", "2.1", float(layers["pre_vv"][forest].std())))
    return lines


def change_lines(world: World, layers: Layers) -> list[Line]:
    """Change of the bands on the cores of landslides (over 80 % bare), by what grew there, and elsewhere."""
    cover, bare = world.ground.landcover.cover, world.ground.slides.bare
    core, lines = bare > 0.8, []
    table = world.params.backscatter
    for name, kinds, (prior, _) in (
        ("forest", FOREST, table.forest_to_bare),
        ("heath", (Cover.HEATH,), table.shrubs_to_bare),
        ("meadow and bog", (Cover.MEADOW, Cover.BOG), table.grass_to_bare),
        ("till and rock", (Cover.TILL, Cover.ROCK), table.grass_to_bare),
    ):
        where = core & np.isin(cover, list(kinds))
        for p, band in enumerate(("vv", "vh")):
            change = (layers[f"post_{band}"] - layers[f"pre_{band}"])[where]
            change = change[np.isfinite(change)]
            if change.size >= 10 * FEW:
                label = f"{band.upper()} change on slides in {name}: mean"
                lines.append(Line(label, "dB", f"{prior[p]:g}", float(change.mean())))
    lines += _brighter(world, layers)
    for name, where, wanted in (
        ("cores of landslides", core, "-0.4 to -0.7"),
        ("edges and narrow landslides", (bare > 0.2) & (bare < 0.6), "-0.1 to -0.3"),
        ("untouched ground", (world.ground.slides.share == 0), "0"),
    ):
        values = layers["dndvi"][where]
        values = values[np.isfinite(values)]
        if values.size >= 10 * FEW:
            lines.append(Line(f"dNDVI of {name}: median", "1", wanted, float(np.median(values))))
    untouched = layers["dndvi"][(world.ground.slides.share == 0) & np.isfinite(layers["dndvi"])]
    if untouched.size:
        lines.append(Line("dNDVI of untouched ground below -0.1", "%", "few", float(100 * (untouched < -0.1).mean())))
    return lines


def _brighter(world: World, layers: Layers) -> list[Line]:
    """Share of landslides whose core (over half bare, at least `FEW` pixels) is brighter in VV after than before."""
    change = layers["post_vv"] - layers["pre_vv"]
    known = np.isfinite(change) & (world.ground.slides.bare > 0.5)
    number = world.ground.slides.number[known]
    pixels, total = np.bincount(number), np.bincount(number, change[known])
    mean = total[pixels >= FEW] / pixels[pixels >= FEW]
    if not mean.size:
        return []
    return [Line("landslides brighter in VV after than before", "%", "20-30", float(100 * (mean > 0).mean()))]


def cloud_lines(world: World) -> list[Line]:
    """Looks, clear sky, and what the scene classification misses, over all looks of both windows."""
    true_cloud, missed_cloud, shaded, missed_shade = 0, 0, 0, 0
    shares: dict[bool, list[float]] = {False: [], True: []}
    height, width = world.grid.shape
    middle = Window(height // 4, width // 4, height // 2, width // 2)  # a quarter of the area is sample enough
    for after in (False, True):
        flown = passes(world, "S2", after)
        for one in flown:
            look, (opacity, shadow) = world.optical(one, middle), world.cloud(one, middle)
            classes, valid = look["SCL"], look["dataMask"] == 1
            seen = np.isin(classes, CLOUD_CODES)
            cloud, shade = valid & (opacity > UNDER_CLOUD), valid & (shadow > UNDER_CLOUD) & (opacity < 0.05)
            true_cloud, missed_cloud = true_cloud + int(cloud.sum()), missed_cloud + int((cloud & ~seen).sum())
            shaded, missed_shade = shaded + int(shade.sum()), missed_shade + int((shade & ~seen).sum())
            if valid.any():
                shares[after].append(float((~seen[valid]).mean()))
    lines = []
    for after, name, wanted in ((False, "before", "0.25-0.35"), (True, "after", "lower than before")):
        lines.append(Line(f"optical looks {name}", "count", "about 14", float(len(shares[after]))))
        if shares[after]:
            lines.append(Line(f"clear share of looks {name}", "1", wanted, float(np.mean(shares[after]))))
    lines.append(Line("cloud that the classification misses", "%", "1-3", 100 * missed_cloud / max(true_cloud, 1)))
    lines.append(Line("cloud shadow that it misses", "%", "2-5", 100 * missed_shade / max(shaded, 1)))
    return lines


def observed_lines(result: Composited) -> list[Line]:
    """Clear looks per pixel and what was never seen."""
    lines = []
    for name, layer in (("before", "clear_pre"), ("after", "clear_post")):
        looks = result.quality[layer]
        lines.append(
            Line(f"clear looks per pixel {name}: 10th percentile", "count", "-", float(np.quantile(looks, 0.1)))
        )
        lines.append(Line(f"clear looks per pixel {name}: median", "count", "2-5", float(np.median(looks))))
    never = 100 * (1 - result.quality["observable_optical"].mean())
    lines.append(Line("never seen clear before or after", "%", "a few", float(never)))
    lines.append(
        Line("layover or shadow in every track", "%", "few", float(100 * result.quality["layover_shadow"].mean()))
    )
    return lines
