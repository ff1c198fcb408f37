"""The section `world` of params.yaml: the physics that all simulated places share.

What sets one place apart from another (seed, number of landslides, dates, area) stands in its event file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from skred.core.params import Section

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share2 = Annotated[float, Field(ge=0, le=2)]
Spectrum = tuple[Share, Share, Share, Share]  # reflectance in B02, B03, B04, B08
Pair = tuple[float, float]  # VV and VH, dB
Spread = tuple[Pair, Pair]  # mean and standard deviation between landslides, each VV and VH, dB


def _in_order(name: str, pair: tuple[float, float]) -> None:
    if not pair[0] < pair[1]:
        raise ValueError(f"{name} as [low, high] with low < high")


class TerrainParams(Section):
    """Glacial troughs cut into a plateau."""

    plateau_m: Positive  # mean height of the plateau
    plateau_relief_m: NotNegative  # standard deviation of its height
    floor_m: NotNegative  # mean height of the main valleys' floors in the middle of the area
    floor_gradient: NotNegative  # their fall towards the sea
    floor_width_m: Positive
    basin_m: NotNegative  # amplitude of basins and sills along them
    fan_slope_deg: tuple[float, float]
    wall_slope_deg: tuple[float, float]
    valley_spacing_m: Positive
    roughness_m: NotNegative  # standard deviation of ribs and hollows on the walls
    gully_m: NotNegative  # depth of a gully that drains 1 km²
    dem_error_m: NotNegative
    dem_error_scale_m: Positive

    @model_validator(mode="after")
    def _ordered(self) -> TerrainParams:
        _in_order("wall_slope_deg", self.wall_slope_deg)
        _in_order("fan_slope_deg", self.fan_slope_deg)
        if not (self.wall_slope_deg[0] > 0 and self.wall_slope_deg[1] < 75):
            raise ValueError("wall_slope_deg within 0..75")
        return self


class CoverParams(Section):
    """Where plants grow."""

    conifer_limit_m: Positive
    birch_limit_m: Positive
    heath_limit_m: Positive
    rock_slope_deg: Positive
    stand_m: Positive
    parcel_m: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    meadow_slope_deg: Positive  # steepest ground that is mown
    river_width_m: Positive


class StormParams(Section):
    """Local rain cells."""

    cells_per_100km2: Positive
    cell_radius_m: Positive


class LandslideParams(Section):
    """Sizes (Malamud et al. 2004, inverse gamma, truncated) and shapes."""

    size_rho: Positive
    size_a_m2: Positive
    size_s_m2: float
    area_min_m2: Positive
    area_max_m2: Positive
    start_slope_deg: tuple[float, float]
    stop_slope_deg: Positive
    open_length_to_width: Positive  # median
    channel_length_to_width: Positive  # median
    channelised_share: Share
    width_min_m: Positive
    width_max_m: Positive
    raft_share: tuple[Share, Share]
    wet_share: Share  # of the soil that is wet rather than dry, on average

    @model_validator(mode="after")
    def _ordered(self) -> LandslideParams:
        _in_order("start_slope_deg", self.start_slope_deg)
        _in_order("raft_share", self.raft_share)
        if not self.area_min_m2 < self.area_max_m2:
            raise ValueError("area_min_m2 < area_max_m2")
        if not self.width_min_m < self.width_max_m:
            raise ValueError("width_min_m < width_max_m")
        return self


class InventoryParams(Section):
    """What the mapper of the landslides gets wrong."""

    jitter_px: tuple[NotNegative, NotNegative]
    small_missing_share: Share
    small_area_m2: Positive


class ChangeParams(Section):
    """Change between the two months that is no landslide."""

    mown_share: Share  # of meadow parcels mown once in the two months, at any date
    ploughed_share: Share  # of meadow parcels bare from about the event's date on
    clear_cuts_per_100km2: NotNegative
    flood_channel_share: Share  # of the length of channels under rain that gets fresh deposits
    bank_erosion_share: Share  # of the river's length, under the most rain, that loses its banks
    bank_erosion_m: Positive  # mean width of what it loses
    senescence: NotNegative  # drop of NDVI on heath until 30 August
    snow_line_m: Positive  # height above which snow patches are left on 1 July


class SpectraParams(Section):
    """Reflectance in B02, B03, B04, B08; the classes of `Cover` first, in their order."""

    water: Spectrum
    conifer: Spectrum
    birch: Spectrum
    meadow: Spectrum
    heath: Spectrum
    bog: Spectrum
    till: Spectrum
    rock: Spectrum
    built: Spectrum
    scar_wet: Spectrum
    scar_dry: Spectrum
    sediment: Spectrum
    mown: Spectrum
    ploughed: Spectrum
    felled: Spectrum
    snow: Spectrum
    regrowth_per_30_days: Share  # of a bared pixel that plants take back
    yellowing: tuple[Share, Share, Share, Share, Share, Share, Share, Share, Share]  # by class, relative to heath


class BackscatterParams(Section):
    """Terrain-flattened gamma0 of the classes of `Cover`, in their order, and what changes it; VV and VH in dB."""

    water: Pair
    conifer: Pair
    birch: Pair
    meadow: Pair
    heath: Pair
    bog: Pair
    till: Pair
    rock: Pair
    built: Pair
    snow: Pair
    sediment: Pair
    felled_change: Pair
    mown_change: Pair
    forest_to_bare: Spread
    grass_to_bare: Spread
    shrubs_to_bare: Spread
    deposit_change: Pair  # on meadow and bog
    noise_floor: Pair
    layover: float  # dB added
    drift: tuple[Share2, Share2, Share2, Share2, Share2, Share2, Share2, Share2, Share2]  # by class, relative to 1


class OpticsParams(Section):
    """Sentinel-2 and the air."""

    point_spread_px: Positive  # full width at half maximum
    noise_reflectance: NotNegative
    noise_share: NotNegative
    texture_share: NotNegative  # standard deviation of plant cover within a class
    haze_reflectance: NotNegative  # largest blue path reflectance left in a look
    shading_share: Share  # of the slope's shading that the product's terrain correction leaves
    clear_share_before: Share
    clear_share_after: Share
    cloud_persistence_days: Positive
    missed_cloud_share: Share
    missed_shadow_share: Share
    scl_cloud_opacity: tuple[Share, Share, Share]  # from which it doubts, sees cloud, sees dense cloud
    scl_shadow: Share  # share of the direct sun that cloud takes, from which it sees shadow
    scl_cirrus_reflectance: Share  # from which it sees cirrus
    cloud_edge: Positive  # cloudiness from a cloud's edge to its full thickness; its spread over an area is 0.75
    cirrus_share: Share  # of the looks that have a veil of cirrus somewhere
    cirrus_reflectance: NotNegative  # of its thickest part
    bright_as_cloud_share: Share  # of bare ground that the classification calls cloud
    unclassified_share: Share  # of thin cloud edges and bare ground that it leaves open
    saturated_share: Share  # of dense cloud and snow
    skylight_share: Spectrum  # diffuse light on level ground as a share of all, by band
    haze_by_band: Spectrum  # relative to the blue


class RadarParams(Section):
    """Sentinel-1: speckle and all else that changes between two dates."""

    looks: Positive
    speckle_sigma_px: Positive
    texture_db: NotNegative
    moisture_db: NotNegative  # over moisture_scale_m, from date to date
    moisture_scale_m: tuple[float, float]
    local_db: NotNegative  # over local_scale_m, from date to date
    trend_db_per_30_days: NotNegative  # over local_scale_m, steady
    local_scale_m: Positive
    wind_db: NotNegative  # of water, between passes
    wind_gust_db: NotNegative  # of water, over gusts within a pass
    wet_ground_db: NotNegative
    pass_offset_db: NotNegative
    aspect_residual_db: NotNegative
    landslide_margin_db: NotNegative

    @model_validator(mode="after")
    def _ordered(self) -> RadarParams:
        _in_order("moisture_scale_m", self.moisture_scale_m)
        return self


class RadarTrack(Section):
    """One relative orbit of Sentinel-1 that sees the area."""

    direction: Literal["ascending", "descending"]
    relative_orbit: int = Field(ge=1, le=175)
    incidence_deg: float = Field(gt=20, lt=60)
    footprint_share: float = Field(gt=0, le=1)


class OpticalTrack(Section):
    """One relative orbit of Sentinel-2 that sees the area."""

    relative_orbit: int = Field(ge=1, le=143)
    footprint_share: float = Field(gt=0, le=1)


class OrbitParams(Section):
    """Which passes there are."""

    radar: tuple[RadarTrack, ...]
    optical: tuple[OpticalTrack, ...]
    radar_platforms: tuple[Literal["S1A", "S1B"], ...]
    optical_platforms: tuple[Literal["S2A", "S2B"], ...]
    missing_share: Share  # of passes that were never acquired
    cut_share: Share  # of passes whose slice ends inside the area


class WorldParams(Section):
    """The section `world`. Units are in the names; sources in the comments of params.yaml."""

    terrain: TerrainParams
    cover: CoverParams
    storm: StormParams
    landslides: LandslideParams
    inventory: InventoryParams
    change: ChangeParams
    spectra: SpectraParams
    optics: OpticsParams
    backscatter: BackscatterParams
    radar: RadarParams
    orbits: OrbitParams
