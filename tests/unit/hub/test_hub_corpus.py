"""Evalscripts in the styles of the service's documentation, through the unmodified client, against NumPy.

The scripts are the files in corpus/, written for this test. Each is a case below: how it is asked for, and what NumPy
gives for the same pixels. Values are compared exactly, but for logarithms and other functions whose last bit is free.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_client import GRID, PROCESSING, Checker, Client
from numpy.typing import NDArray
from sentinelhub import CRS, BBox, DataCollection, MimeType, SentinelHubRequest

from skred.core.grid import Window

CORPUS = Path(__file__).parent / "corpus"
WINDOW = Window(8, 20, 24, 30)  # the western part has no data on odd days
SOURCE = Checker()
NEWEST, OLDEST = 9, 3  # days of July, unless a case says otherwise
DAYS = tuple(range(NEWEST, OLDEST - 1, -1))  # the most recent comes first
S2, S1, DEM = DataCollection.SENTINEL2_L2A, DataCollection.SENTINEL1_IW, DataCollection.DEM
Pixels = NDArray[Any]


# --- the pixels, as a script sees them ---


def whole(item: str, band: str) -> Pixels:
    return SOURCE.whole(item, band)[WINDOW.slices].astype(np.float64)


def valid(day: int) -> NDArray[np.bool_]:
    return whole(f"S2_{day:02d}", "dataMask") == 1


def dn(band: str, day: int) -> Pixels:
    return np.where(valid(day), np.floor(whole(f"S2_{day:02d}", band) * 10_000 + 0.5), 0)


def scl(day: int) -> Pixels:
    return np.where(valid(day), whole(f"S2_{day:02d}", "SCL"), 0)


def reflectance(band: str, day: int) -> Pixels:
    """Pixels reach a script as 32-bit numbers; it computes in 64."""
    return (dn(band, day) / 10_000).astype(np.float32).astype(np.float64)


def on_top(band: Callable[[str, int], Pixels], name: str, days: tuple[int, ...] = DAYS) -> Pixels:
    """SIMPLE mosaicking: the first day that has data."""
    pixels = np.zeros((WINDOW.height, WINDOW.width))
    for day in reversed(days):
        pixels = np.where(valid(day), band(name, day), pixels)
    return pixels


def top(name: str) -> Pixels:
    return on_top(reflectance, name)


def top_scl() -> Pixels:
    return on_top(lambda _, day: scl(day), "SCL")


def index(x: Pixels, y: Pixels) -> Pixels:
    total = x + y
    return np.where(total == 0, 0, (x - y) / np.where(total == 0, 1, total))


def ndvi(day: int) -> Pixels:
    return index(reflectance("B08", day), reflectance("B04", day))


def top_ndvi() -> Pixels:
    return index(top("B08"), top("B04"))


def looks(of_day: Callable[[int], Pixels], days: tuple[int, ...] = DAYS) -> Pixels:
    """Shape ``(T, H, W)``, NaN without data."""
    return np.stack([np.where(valid(day), of_day(day), np.nan) for day in days])


def power(band: str, name: str = "S1_09ascending") -> Pixels:
    return whole(name, band)


# --- what the service makes of numbers ---


def whole_numbers(values: Any, low: int, high: int) -> Pixels:
    return np.clip(np.floor(np.nan_to_num(np.asarray(values, float), posinf=1e9, neginf=-1e9) + 0.5), low, high)


def auto(*bands: Any) -> Pixels:
    return np.stack([whole_numbers(255 * np.asarray(band), 0, 255) for band in bands], axis=-1)


def uint8(*bands: Any) -> Pixels:
    return np.stack([whole_numbers(band, 0, 255) for band in bands], axis=-1)


def uint16(*bands: Any) -> Pixels:
    return np.stack([whole_numbers(band, 0, 65535) for band in bands], axis=-1)


def float32(*bands: Any) -> Pixels:
    return np.stack(bands, axis=-1).astype(np.float32)


def full(value: float) -> Pixels:
    return np.full((WINDOW.height, WINDOW.width), value)


ONES = full(1)


# --- helper functions of the service, in NumPy ---


def colors(values: Pixels, stops: list[tuple[float, int]]) -> list[Pixels]:
    """Colours 0..1 between the stops, as whole numbers of 255."""
    places, codes = zip(*stops, strict=True)
    channels = [[(code >> shift) & 255 for code in codes] for shift in (16, 8, 0)]
    return [np.floor(np.interp(values, places, channel) + 0.5) / 255 for channel in channels]


def steps(values: Pixels, stops: list[tuple[float, int]]) -> list[Pixels]:
    places, codes = zip(*stops, strict=True)
    which = np.clip(np.searchsorted(places, values, side="right") - 1, 0, None)
    return [np.array([(code >> shift) & 255 for code in codes])[which] / 255 for shift in (16, 8, 0)]


def highlights(values: Pixels, low: float, high: float, gain: float = 1, offset: float = 0, gamma: float = 1) -> Pixels:
    scaled = gain * (values - low) / (high - low) + offset
    if gamma != 1:
        scaled = np.maximum(scaled, 0) ** gamma
    return np.clip(np.where(scaled > 0.92, 0.92 + (scaled - 0.92) * 0.08 / 1.08, scaled), 0, 1)


SCL_COLORS = {
    0: (0, 0, 0), 1: (255, 0, 4), 3: (119, 63, 10), 4: (0, 255, 59), 5: (255, 230, 90), 6: (0, 0, 255),
    8: (255, 255, 255), 9: (255, 255, 255), 11: (255, 150, 255),
}  # fmt: skip
BLUE_RED = [(0, 0x000080), (0.125, 0x0000FF), (0.375, 0x00FFFF), (0.625, 0xFFFF00), (0.875, 0xFF0000), (1, 0x800000)]
OCEAN = [
    (0, 0x93006C), (0.0471, 0x6F0090), (0.098, 0x4800B7), (0.149, 0x2100DE), (0.2, 0x000AFF), (0.2471, 0x004AFF),
    (0.298, 0x0090FF), (0.349, 0x00D5FF), (0.4, 0x00FFD7), (0.4471, 0x00FF77), (0.498, 0x00FF0F), (0.549, 0x60FF00),
    (0.6, 0xC8FF00), (0.6471, 0xFFEB00), (0.698, 0xFFB700), (0.749, 0xFF8300), (0.8, 0xFF4F00), (0.8471, 0xFF1F00),
    (0.898, 0xE60000), (0.949, 0xA50000), (1, 0x690000),
]  # fmt: skip
DEFAULT_MAP = [
    (-1.0, 0x000000), (-0.2, 0xFF0000), (-0.1, 0x9A0000), (0.0, 0x660000), (0.1, 0xFFFF33), (0.2, 0xCCCC33),
    (0.3, 0x666600), (0.4, 0x33FFFF), (0.5, 0x33CCCC), (0.6, 0x006666), (0.7, 0x33FF33), (0.8, 0x33CC33),
    (0.9, 0x006600),
]  # fmt: skip


# --- the cases ---


@dataclass(frozen=True)
class Source:
    """One data source of a request."""

    collection: DataCollection = S2
    days: tuple[int, int] | None = (OLDEST, NEWEST)
    identifier: str | None = None
    data_filter: dict[str, Any] = field(default_factory=dict)
    processing: dict[str, Any] = field(default_factory=dict)

    def body(self, client: Client) -> Any:
        other: dict[str, Any] = {"dataFilter": dict(self.data_filter)}
        if self.processing:
            other["processing"] = self.processing
        time = self.days and (f"2019-07-{self.days[0]:02d}", f"2019-07-{self.days[1]:02d}T23:59:59")
        return SentinelHubRequest.input_data(
            client.collection(self.collection), time_interval=time, identifier=self.identifier, other_args=other
        )


RADAR = Source(S1, (1, 28), data_filter={"orbitDirection": "ASCENDING"}, processing=PROCESSING)
TERRAIN = Source(DEM, None, data_filter={"demInstance": "COPERNICUS_30"})


@dataclass(frozen=True)
class Case:
    """A script, what NumPy says that it gives, and how it is asked for. `atol` is how far a value may lie off."""

    name: str
    expected: Callable[[], Any]
    sources: tuple[Source, ...] = (Source(),)
    outputs: tuple[str, ...] = ("default",)
    atol: float = 0.0
    mime: MimeType = MimeType.TIFF

    def answer(self, client: Client) -> Any:
        grid = GRID.crop(WINDOW)
        formats = [(name, MimeType.JSON if name == "userdata" else self.mime) for name in self.outputs]
        return SentinelHubRequest(
            evalscript=(CORPUS / f"{self.name}.js").read_text(),
            input_data=[source.body(client) for source in self.sources],
            responses=[SentinelHubRequest.output_response(name, mime) for name, mime in formats],
            bbox=BBox(grid.bounds, CRS(grid.crs)),
            size=(grid.width, grid.height),
            config=client.config,
        ).get_data()[0]


def scl_colors() -> Pixels:
    table = np.array([SCL_COLORS.get(code, (128, 128, 128)) for code in range(12)]) / 255
    return auto(*np.moveaxis(table[top_scl().astype(int)], -1, 0))


def cloud_overlay() -> Pixels:
    cloudy = (top_scl() >= 8) & (top_scl() <= 10)
    color = [1.0, 51 / 255, 0.0]
    return auto(*(np.where(cloudy, one * 0.6 + top("B03") * (1 - 0.6), top("B03")) for one in color))


def median() -> Pixels:
    bands = [np.nanmedian(looks(lambda day, band=band: dn(band, day)), axis=0) for band in ("B04", "B03", "B02")]
    return uint16(*bands)


def first_quartile() -> Pixels:
    bands = []
    for band in ("B04", "B03", "B02"):
        stack = np.sort(looks(lambda day, band=band: reflectance(band, day)), axis=0)
        which = np.isfinite(stack).sum(axis=0) // 4
        bands.append(np.take_along_axis(stack, which[None], axis=0)[0])
    return auto(*bands)


def first_clear() -> Pixels:
    seen = np.zeros((3, WINDOW.height, WINDOW.width))
    for day in reversed(DAYS):
        clear = valid(day) & np.isin(scl(day), [2, 4, 5, 6, 7, 11])
        seen = np.where(clear, [reflectance(band, day) for band in ("B04", "B03", "B02")], seen)
    return uint8(*(255 * seen))


def clear_count() -> Pixels:
    return uint8(sum(~np.isin(scl(day), [0, 1, 3, 8, 9, 10]) for day in DAYS))


def greenest_day() -> Pixels:
    best = np.nanargmax(looks(ndvi), axis=0)
    return uint16(np.array([dt.date(2019, 7, day).timetuple().tm_yday for day in DAYS])[best])


def trend() -> Pixels:
    y = looks(ndvi)
    seen = np.isfinite(y)
    t = np.where(seen, (np.array(DAYS) - 1.0)[:, None, None], 0)
    y, n = np.where(seen, y, 0), seen.sum(axis=0)
    return float32((n * (t * y).sum(0) - t.sum(0) * y.sum(0)) / (n * (t * t).sum(0) - t.sum(0) ** 2))


def red_mean() -> Pixels:
    stack = np.stack([reflectance("B04", day) for day in DAYS])
    return float32(stack.sum(axis=0) / (stack != 0).sum(axis=0))


def blue_mean() -> Pixels:
    return float32(np.nanmean(looks(lambda day: reflectance("B02", day)), axis=0))


def tile(day: int) -> dict[str, Any]:
    return {
        "date": f"2019-07-{day:02d}T10:40:11Z",
        "cloudCoverage": 3.0 * day,
        "dataPath": f"offline/sentinel-2-l2a/S2_{day:02d}",
    }


def orbits() -> list[dict[str, Any]]:
    return [
        {"dateFrom": f"2019-07-{day:02d}T00:00:00Z", "dateTo": f"2019-07-{day:02d}T23:59:59Z", "tiles": [tile(day)]}
        for day in DAYS
    ]


def histogram() -> dict[str, int]:
    codes, counts = np.unique(top_scl().astype(int), return_counts=True)
    return {str(code): int(count) for code, count in zip(codes, counts, strict=True)}


def radar_under_cloud() -> Pixels:
    cloudy = (top_scl() >= 8) & (top_scl() <= 10)
    return float32(~cloudy, np.where(cloudy, power("VH"), top_ndvi()))


def heights_where() -> Pixels:
    high = whole("dem", "DEM") > 400
    return auto(*(np.where(high, reflectance(band, NEWEST), 0) for band in ("B04", "B03", "B02")))


def before_after() -> Pixels:
    greenest = [np.nanmax(looks(ndvi, days), axis=0) for days in ((4, 3), (9, 8, 7, 6))]
    return float32(greenest[1] - greenest[0], full(2), full(4))


def statistics() -> dict[str, Pixels]:
    used = ~np.isin(top_scl(), [3, 8, 9, 10]) & (top("B08") + top("B04") != 0)
    return {"data.tif": float32(top_ndvi(), top("B04")), "dataMask.tif": auto(used)}


def outputs() -> dict[str, Pixels]:
    return {
        "trueColor.tif": auto(*(2.5 * top(band) for band in ("B04", "B03", "B02"))),
        "ndvi.tif": float32(top_ndvi()),
        "mask.tif": uint8(ONES),
    }


ONE_ODD_DAY = (Source(days=(5, 5)),)  # has a part without data
RGB = ("B04", "B03", "B02")
CASES = (
    Case("true_color", lambda: auto(*(2.5 * top(band) for band in RGB))),
    Case("true_color_uint8", lambda: uint8(top("B04") * 355, top("B03") * 355 - 20, top("B02") * 355)),
    Case("true_color_uint16", lambda: uint16(*(top(band) * 65535 for band in RGB))),
    Case(
        "true_color_transparent",
        lambda: auto(*(2.5 * reflectance(band, 5) for band in RGB), valid(5)),
        ONE_ODD_DAY,
        mime=MimeType.PNG,
    ),
    Case("false_color", lambda: auto(top("B08"), top("B04"), top("B03"))),
    Case("highlight_compress", lambda: auto(*(highlights(top(band), 0, 0.4) for band in RGB), ONES), atol=1),
    Case("highlight_single", lambda: auto(highlights(top_ndvi(), 0.1, 0.6, 1.2, 0.05, 0.8), ONES), atol=1),
    Case(
        "ndvi_ramp",
        lambda: auto(
            *colors(top_ndvi(), [(-0.5, 0x0C0C0C), (0, 0xEAEAEA), (0.2, 0xCCC682), (0.4, 0x70A33F), (1, 0x004400)]),
            ONES,
        ),
        atol=1,
    ),
    Case("ndvi_ramp_inverse", lambda: auto(*colors(0.5 - top_ndvi(), BLUE_RED)), atol=1),
    Case("ndvi_color_map", lambda: auto(*steps(top_ndvi(), DEFAULT_MAP))),
    Case(
        "ndvi_gradient",
        lambda: auto(*colors((top_ndvi() + 1) / 2, [(0, 0), (0.4, 0x006600), (0.7, 0x80B300), (1, 0xFFFFFF)])),
        atol=1,
    ),
    Case(
        "ndvi_color_blend",
        lambda: auto(
            *(
                np.interp(top_ndvi(), [-0.2, 0, 0.3, 0.8], levels)
                for levels in ([0.05, 0.75, 0.5, 0], [0.05, 0.75, 0.7, 0.25], [0.05, 0.75, 0.2, 0])
            )
        ),
        atol=1,
    ),
    Case(
        "ndvi_steps",
        lambda: auto(
            *(
                np.select([top_ndvi() < limit for limit in (-0.5, 0, 0.2, 0.5)], levels[:4], levels[4])
                for levels in ([0.05, 0.75, 0.86, 1, 0], [0.05, 0.75, 0.86, 0.98, 0.27], [0.05, 0.75, 0.86, 0.8, 0])
            )
        ),
    ),
    Case(
        "ndvi_value_map",
        lambda: uint8(10 * np.clip(1 + np.searchsorted([-0.2, 0.1, 0.4, 0.7, 1], top_ndvi(), side="left"), 1, 5)),
    ),
    Case(
        "ndvi_value_interpolate",
        lambda: float32(np.interp(top_ndvi(), [-1, 0, 0.5, 1], [-1000, -50, 50, 1000])),
        atol=1e-3,
    ),
    Case("ndvi_float", lambda: float32(np.where(valid(5), ndvi(5), np.nan)), ONE_ODD_DAY),
    Case("ndwi_arrow", lambda: float32(index(top("B03"), top("B08")))),
    Case(
        "evi",
        lambda: float32(
            2.5 * (top("B08") - top("B04")) / (top("B08") + 6.0 * top("B04") - 7.5 * top("B02") + 11.0),
        ),
    ),
    Case(
        "savi_int16",
        lambda: np.where(
            valid(5),
            whole_numbers(
                (reflectance("B08", 5) - reflectance("B04", 5))
                / (reflectance("B08", 5) + reflectance("B04", 5) + 0.428)
                * (1.0 + 0.428)
                * 10000,
                -32768,
                32767,
            ),
            -32768,
        ),
        ONE_ODD_DAY,
    ),
    Case("ratio_int8", lambda: whole_numbers(100 * np.log2(top("B04") / top("B03")), -128, 127), atol=1),
    Case(
        "digital_numbers",
        lambda: uint16(*(dn(band, 5) for band in ("B02", "B03", "B04", "B08")), scl(5)),
        ONE_ODD_DAY,
    ),
    Case("mixed_units", lambda: float32(top("B02") + top("B03"), on_top(dn, "B08") * 0.0001)),
    Case("normalization_factor", lambda: float32(on_top(dn, "B04") * 0.0001)),
    Case(
        "scl_mask",
        lambda: uint8(np.where(valid(5) & (scl(5) > 0), np.isin(scl(5), [3, 8, 9, 10]), 255)),
        ONE_ODD_DAY,
    ),
    Case("scl_colors", scl_colors),
    Case("cloud_overlay", cloud_overlay),
    Case("packed_color", lambda: uint8(*(on_top(dn, band) % 256 for band in RGB))),
    Case("max_ndvi", lambda: float32(np.nanmax(looks(ndvi), axis=0))),
    Case("median", median),
    Case("first_quartile", first_quartile),
    Case("mean_red_tile", red_mean, atol=1e-6),
    Case("first_clear", first_clear),
    Case(
        "least_cloud",
        lambda: uint16(on_top(dn, "B08", DAYS[::-1])),  # cloud grows with the day
        (Source(data_filter={"mosaickingOrder": "leastCC"}),),
    ),
    Case(
        "oldest_valid",
        lambda: float32(on_top(reflectance, "B08", DAYS[::-1])),
        (Source(data_filter={"mosaickingOrder": "leastRecent"}),),
    ),
    Case("clear_count", clear_count),
    Case("two_dates", lambda: float32(ndvi(8) - ndvi(4))),
    Case(
        "last_days",  # `to` is the end of the 9th, so three days before it is the end of the 6th
        lambda: float32(np.nanmax(looks(lambda day: reflectance("B03", day), (9, 8, 7)), axis=0), full(3)),
    ),
    Case(
        "first_of_each_week",
        lambda: float32(*(reflectance("B02", day) for day in (1, 8, 15, 22))),
        (Source(days=(1, 28)),),
    ),
    Case("clear_tiles", lambda: float32(reflectance("B04", 4), full(2)), (Source(days=(3, 12)),)),
    Case("all_scenes_as_bands", lambda: uint16(*(dn("B02", day) for day in DAYS)), outputs=("my_output",)),
    Case("dates_as_bands", lambda: uint8(*(valid(day) * day for day in DAYS))),
    Case("day_of_greenest", greenest_day),
    Case(
        "old_style_scenes",
        lambda: float32(reflectance("B08", 9), full(9)),
        (Source(data_filter={"mosaickingOrder": "leastRecent"}),),
    ),
    Case("trend", trend, atol=1e-6),
    Case(
        "std_dev",
        lambda: float32(
            np.nanstd(looks(lambda day: reflectance("B08", day)), axis=0, ddof=1), sum(valid(day) for day in DAYS)
        ),
        atol=1e-6,
    ),
    Case(
        "userdata_orbits",
        lambda: {"default.tif": blue_mean(), "userdata.json": {"factor": 0.0001, "orbits": orbits()}},
        outputs=("default", "userdata"),
        atol=1e-6,
    ),
    Case(
        "userdata_maximum",
        lambda: {
            "default.tif": uint8(full(7)),
            "userdata.json": {
                "dates": [tile(day)["date"] for day in DAYS],
                "maxValueB02": max(float(reflectance("B02", day).max()) for day in DAYS),
            },
        },
        outputs=("default", "userdata"),
    ),
    Case("userdata_only", lambda: {"histogram": histogram()}, outputs=("userdata",)),
    Case("several_outputs", outputs, outputs=("trueColor", "ndvi", "mask")),
    Case("statistics_style", statistics, outputs=("data", "dataMask")),
    Case("own_names", lambda: float32((1 - top("B03")) / 3, top("B03") + 3)),
    Case(
        "s1_decibel",
        lambda: float32(*(np.maximum(-30, 10 * np.log10(np.maximum(power(band), 1e-9))) for band in ("VV", "VH"))),
        (RADAR,),
        atol=1e-5,
    ),
    Case(
        "s1_stretched",
        lambda: auto(np.maximum(0, np.log(np.maximum(power("VH"), 1e-9)) * 0.21714724095 + 1)),
        (RADAR,),
        atol=1,
    ),
    Case(
        "s1_rgb_ratio",
        lambda: auto(2 * power("VV"), 3 * power("VH"), power("VV") / np.maximum(power("VH"), 1e-9) / 100.0, ONES),
        (RADAR,),
        atol=1,
    ),
    Case(
        "s1_mean",
        lambda: float32(
            *(np.mean([power(band, f"S1_{day:02d}ascending") for day in (9, 2)], axis=0) for band in ("VV", "VH"))
        ),
        (RADAR,),
        atol=1e-6,
    ),
    Case("s1_water", lambda: uint8(10 * np.log10(np.maximum(power("VV"), 1e-9)) < -15), (RADAR,)),
    Case(
        "s1_angle",
        lambda: uint16(np.cos(np.radians(power("localIncidenceAngle"))) * 10000, power("shadowMask")),
        (RADAR,),
        atol=1,
    ),
    Case(
        "s1_change",
        lambda: uint8(128 + 100 * np.log10(power("VV") / power("VV", "S1_02ascending"))),
        (RADAR,),
        atol=1,
    ),
    Case("dem_metres", lambda: float32(whole("dem", "DEM")), (TERRAIN,)),
    Case("dem_offset", lambda: uint16(whole("dem", "DEM") + 12000), (TERRAIN,)),
    Case("dem_colors", lambda: auto(*colors(whole("dem", "DEM") / 1500, OCEAN), ONES), (TERRAIN,), atol=1),
    Case(
        "fusion_radar_under_cloud",
        radar_under_cloud,
        (
            Source(identifier="s2"),
            Source(S1, (1, 28), "s1", {"orbitDirection": "ASCENDING"}, PROCESSING),
        ),
    ),
    Case("fusion_by_order", heights_where, (Source(), TERRAIN)),
    Case(
        "fusion_before_after",
        before_after,
        (Source(days=(3, 4), identifier="before"), Source(days=(6, 9), identifier="after")),
    ),
    Case(
        "fusion_filtered",
        lambda: float32(reflectance("B08", 3), power("VV"), power("VV", "S1_02ascending")),
        (
            Source(identifier="optical"),
            Source(S1, (1, 28), "radar", {"orbitDirection": "ASCENDING"}, PROCESSING),
        ),
    ),
)


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_script_gives_what_numpy_gives(client: Client, case: Case) -> None:
    _assert_same(case.answer(client), case.expected(), case)


def _assert_same(got: Any, wanted: Any, case: Case) -> None:
    if isinstance(wanted, dict):
        assert isinstance(got, dict)
        assert set(wanted) <= set(got)
        for name in wanted:
            _assert_same(got[name], wanted[name], case)
    elif isinstance(wanted, list):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            _assert_same(one, other, case)
    elif isinstance(wanted, np.ndarray):
        wanted = wanted[..., 0] if wanted.ndim == 3 and wanted.shape[-1] == 1 else wanted
        assert got.shape == wanted.shape
        assert np.ptp(np.nan_to_num(wanted)) > 0 or case.name in CONSTANT
        assert np.allclose(got.astype(np.float64), wanted.astype(np.float64), rtol=0, atol=case.atol, equal_nan=True)
        # where a last bit may round a whole number the other way, it may do so in few places
        assert case.atol != 1 or np.mean(got != wanted) < 0.01
    else:
        assert got == wanted


CONSTANT = ("several_outputs", "userdata_maximum")  # one of their pictures has one value


def test_every_script_of_the_corpus_is_tried_and_they_are_at_least_forty() -> None:
    assert sorted(path.stem for path in CORPUS.glob("*.js")) == sorted(case.name for case in CASES)
    assert len(CASES) >= 40
