"""Catalog items become acquisitions."""

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skred.acquire import search
from skred.acquire.items import parse_item
from skred.acquire.orders import view_passes
from skred.acquire.search import newest
from skred.core.errors import SkredError
from skred.core.events import Event

S1_NAME = "S1A_IW_GRDH_1SDV_20190703T055512_20190703T055537_027948_0327D4_8D7C"
S2_NAME = "S2A_MSIL2A_20190701T105031_N0212_R051_T32VLP_20190701T134301"


def event(**changes):
    data = {
        "name": "storm",
        "title": "a storm",
        "role": "develop",
        "source": "sentinelhub",
        "date": "2019-07-30",
        "pre": {"first": "2019-06-30", "last": "2019-07-29"},
        "post": {"first": "2019-07-31", "last": "2019-08-29"},
        "area": {"center_lonlat": [6.3, 61.5], "width_m": 640, "height_m": 640},
    }
    return Event.model_validate(data | changes)


def acquisitions(items, event, max_cloud_percent):
    return list(search.acquisitions(items, event, max_cloud_percent).acquisitions)


def s2(time, name=S2_NAME, cloud=10.0, **properties):
    return parse_item({"id": name, "properties": {"datetime": time, "eo:cloud_cover": cloud, **properties}}, "S2")


def s1(time, direction="ascending", orbit=44, name=S1_NAME):
    properties = {"datetime": time, "sat:orbit_state": direction, "sat:relative_orbit": orbit}
    return parse_item({"id": name, "properties": properties}, "S1")


def test_relative_orbit_of_a_radar_item_comes_from_its_name_when_it_is_not_given():
    item = parse_item(
        {"id": S1_NAME, "properties": {"datetime": "2019-07-03T05:55:12Z", "sat:orbit_state": "DESCENDING"}}, "S1"
    )
    assert (item.platform, item.orbit_direction, item.relative_orbit) == ("S1A", "descending", (27948 - 73) % 175 + 1)


def test_orbit_and_tile_of_an_optical_item_come_from_its_name():
    item = s2("2019-07-01T10:50:31.024Z")
    assert (item.platform, item.relative_orbit, item.tile) == ("S2A", 51, "32VLP")


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({}, "datetime"),
        ({"datetime": "yesterday"}, "datetime"),
        ({"datetime": "2019-07-03T05:55:12Z"}, "orbit direction"),
    ],
)
def test_a_radar_item_that_cannot_be_placed_is_an_error_that_names_it(properties, told):
    with pytest.raises(SkredError, match=told) as caught:
        parse_item({"id": S1_NAME, "properties": properties}, "S1")
    assert S1_NAME in str(caught.value)


def test_of_a_reprocessed_image_the_newest_version_wins():
    old = s2("2019-07-01T10:50:31Z", updated="2019-07-01T14:00:00Z")
    new = s2("2019-07-01T10:50:31Z", name=S2_NAME.replace("N0212", "N0500"), updated="2023-06-12T00:00:00Z")
    for order in itertools.permutations([old, new]):
        kept, older = newest(order)
        assert kept == [new]
        assert [(one.id, one.reason, one.instead) for one in older] == [(old.id, "older version", new.id)]


def test_tiles_of_one_optical_pass_are_one_acquisition_with_the_mean_cloud_cover():
    first = s2("2019-07-01T10:50:31Z", cloud=20.0)
    second = s2("2019-07-01T10:50:45Z", name=S2_NAME.replace("T32VLP", "T32VLQ"), cloud=40.0)
    (found,) = acquisitions([second, first], event(), 100)
    assert found.items == (first, second)
    assert found.cloud_cover_percent == 30.0


def test_passes_of_one_day_in_two_directions_stay_apart():
    found = acquisitions(
        [s1("2019-07-03T05:55:12Z", "descending", 139), s1("2019-07-03T17:15:00Z", "ascending", 44)], event(), 100
    )
    assert [a.orbit_direction for a in found] == ["descending", "ascending"]


def test_an_acquisition_belongs_to_the_window_of_its_day_and_the_day_of_the_storm_to_none():
    times = ["2019-06-29T23:29:59Z", "2019-06-30T00:00:00Z", "2019-07-29T23:59:59Z", "2019-07-30T12:00:00Z"]
    times += ["2019-07-31T00:00:00Z", "2019-08-29T23:59:59Z", "2019-08-30T00:00:00Z"]
    found = acquisitions([s1(time) for time in times], event(), 100)
    assert [a.window for a in found] == ["pre", "pre", "post", "post"]


def test_acquisitions_cloudier_than_the_limit_are_left_out():
    items = [s2("2019-07-01T10:50:31Z", cloud=79.0), s2("2019-07-06T10:50:31Z", cloud=81.0)]
    assert [a.time.day for a in acquisitions(items, event(), 80)] == [1]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_order_of_the_catalog_does_not_matter_and_names_are_unique(data):
    start = dt.datetime(2019, 6, 30, tzinfo=dt.UTC)
    minutes = data.draw(st.lists(st.integers(0, 60 * 24 * 60), min_size=1, max_size=12, unique=True))
    items = [
        s1((start + dt.timedelta(minutes=m)).isoformat(), orbit=1 + m % 3, direction=("ascending", "descending")[m % 2])
        for m in minutes
    ]
    found = acquisitions(items, event(), 100)
    assert found == acquisitions(data.draw(st.permutations(items)), event(), 100)
    assert len({a.name for a in found}) == len(found)
    kept = [item for a in found for item in a.items]
    assert len(kept) == len(set(kept))


def outlined(west, south, east, north, name=S2_NAME):
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "MultiPolygon", "coordinates": [[ring]]}
    properties = {"datetime": "2019-07-01T10:50:31Z"}
    return parse_item({"id": name, "properties": properties, "geometry": geometry}, "S2")


def test_an_item_that_misses_the_area_is_left_out_and_said():
    over, beside = outlined(6, 61, 7, 62), outlined(6.4, 61, 7, 62, S2_NAME.replace("VLP", "VMP"))
    found = search.acquisitions([over, beside], event(), 100)
    assert [a.items for a in found.acquisitions] == [(over,)]
    assert [(one.id, one.reason) for one in found.left_out] == [(beside.id, "outside the area")]


def test_an_item_whose_coarse_outline_just_misses_the_area_is_asked_for():
    assert search.acquisitions([outlined(6.31, 61, 7, 62)], event(), 100).acquisitions


@pytest.mark.parametrize("geometry", [None, {}, {"type": "Point", "coordinates": [6, 61]}, {"type": "Polygon"}, 5])
def test_an_item_without_a_readable_outline_is_kept(geometry):
    item = parse_item({"id": S2_NAME, "properties": {"datetime": "2019-07-01T10:50:31Z"}, "geometry": geometry}, "S2")
    (found,) = acquisitions([item], event(), 100)
    assert found.footprint is None


def test_the_outline_of_a_pass_is_that_of_its_items():
    parts = [outlined(6, 61, 6.5, 62), outlined(6.2, 61, 7, 62, S2_NAME.replace("VLP", "VMP"))]
    (found,) = acquisitions(parts, event(), 100)
    assert found.footprint == (
        "MULTIPOLYGON (((6 61, 6.5 61, 6.5 62, 6 62, 6 61)), ((6.2 61, 7 61, 7 62, 6.2 62, 6.2 61)))"
    )


def test_versions_may_differ_by_a_fraction_of_a_second_and_slices_are_no_versions():
    old = s2("2019-07-01T10:50:30.998Z", updated="2019-07-01T14:00:00Z")
    new = s2("2019-07-01T10:50:31.024Z", name=S2_NAME.replace("N0212", "N0500"), updated="2023-06-12T00:00:00Z")
    assert newest([new, old])[0] == [new]
    slices = [s1("2019-07-03T05:55:12Z", name="S1A_a"), s1("2019-07-03T05:55:37Z", name="S1A_b")]
    assert newest(slices)[0] == slices


def test_the_same_item_listed_twice_is_no_older_version_of_itself():
    kept, older = newest([s2("2019-07-01T10:50:31Z"), s2("2019-07-01T10:50:31Z")])
    assert (len(kept), older) == (1, [])


def passes(*days_and_shares):
    return [
        (a, share) for (day, share) in days_and_shares for a in acquisitions([s1(f"{day}T17:15:00Z")], event(), 100)
    ]


@pytest.mark.parametrize(
    ("seen", "day"),
    [
        (passes(("2019-07-03", 1.0), ("2019-07-27", 1.0), ("2019-08-08", 1.0)), 27),
        (passes(("2019-07-03", 1.0), ("2019-07-27", 0.8)), 3),
        (passes(("2019-07-03", 0.801), ("2019-07-27", 0.8)), 27),
        (passes(("2019-07-03", 0.01), ("2019-07-27", 0.0)), 3),
    ],
)
def test_a_track_is_seen_at_the_pass_that_shows_most_and_among_those_the_nearest_to_the_event(seen, day):
    (chosen,) = view_passes(seen, event().date).values()
    assert chosen.time.day == day
