"""Catalog items become acquisitions."""

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skred.acquire.search import acquisitions, newest, parse_item
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
        assert newest(order) == [new]


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
