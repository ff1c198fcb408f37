"""Events change, and others come: a download asks only for what is new, and leaves nothing stale."""

import datetime as dt

import pytest
from acquire_place import EVENT, PARAMS, Place, digest, images, many, run, served

from skred.manifest import read_manifest

LISTED = tuple(one for number, one in enumerate(many()) if number // 2 % 3 == 0)  # every third day


def window(event, when, **changes):
    return event.model_copy(update={when: getattr(event, when).model_copy(update=changes)})


NARROW = window(window(EVENT, "pre", first=dt.date(2019, 7, 15)), "post", last=dt.date(2019, 8, 14))


@pytest.fixture
def log():
    return []


def asked(log, service, folder, event, out="raw"):
    """How many images a download asks for."""
    before = len(images(log))
    run(service, folder, event, out=out)
    return len(images(log)) - before


def acquisitions(folder, out="raw"):
    return {one.file for one in read_manifest(folder / out).acquisitions}


def test_a_widened_window_asks_for_the_new_acquisitions_and_nothing_else(tmp_path, log):
    with served(Place(listed=LISTED), log=log) as service:
        first = asked(log, service, tmp_path, NARROW)
        before = acquisitions(tmp_path)
        second = asked(log, service, tmp_path, EVENT)
        added = acquisitions(tmp_path) - before
        assert (first, second) == (len(before) + 1 + 4, len(added))
        assert len(added) == 20
        run(service, tmp_path / "at-once")
    assert digest(tmp_path / "raw") == digest(tmp_path / "at-once/raw")


def test_a_narrowed_window_asks_for_nothing_and_leaves_what_a_new_download_gives(tmp_path, log):
    with served(Place(listed=LISTED), log=log) as service:
        run(service, tmp_path)
        assert asked(log, service, tmp_path, NARROW) == 0
        run(service, tmp_path / "new", NARROW)
    assert digest(tmp_path / "raw") == digest(tmp_path / "new/raw")


def test_a_window_that_comes_nearer_to_the_event_asks_for_new_days_and_at_most_one_view_of_each_track(tmp_path, log):
    moved = window(EVENT, "pre", first=dt.date(2019, 7, 5))
    earlier = window(EVENT, "pre", last=dt.date(2019, 7, 20))
    with served(Place(listed=LISTED), log=log) as service:
        run(service, tmp_path, earlier)
        before = acquisitions(tmp_path)
        count = asked(log, service, tmp_path, moved)
        new = acquisitions(tmp_path) - before
    assert len(new) == 6
    assert len(new) <= count <= len(new) + 4  # a track is seen at the pass nearest to the event


def test_another_event_of_the_same_place_shares_its_images(tmp_path, log):
    other = NARROW.model_copy(update={"name": "other", "title": "another storm", "role": "unseen"})
    with served(Place(listed=LISTED), log=log) as service:
        run(service, tmp_path)
        assert asked(log, service, tmp_path, other, out="other") == 0
    assert read_manifest(tmp_path / "other").event == "other"
    assert digest(tmp_path / "raw").keys() > digest(tmp_path / "other").keys()


def test_a_new_version_of_an_item_is_fetched_and_the_manifest_names_the_old_one(tmp_path, log):
    listed = many()[:6] + many()[-6:]
    again = next(one for one in listed if one.id == "S2A_01_R051_T32VLP_x")
    newer = type(again)(
        again.id.replace("_x", "_y"),
        again.collection,
        again.time,
        again.footprint,
        again.properties | {"updated": "2024"},
    )
    with served(Place(listed=listed), log=log) as service:
        run(service, tmp_path)
    with served(Place(listed=(*listed, newer)), log=log) as service:
        assert asked(log, service, tmp_path, EVENT) == 1
    manifest = read_manifest(tmp_path / "raw")
    assert [(one.id, one.instead) for one in manifest.left_out] == [(again.id, newer.id)]
    assert newer.id in {one.id for one in manifest.acquisitions}


def test_a_lower_limit_of_clouds_asks_for_nothing(tmp_path, log):
    with served(Place(listed=many()[:8] + many()[-8:]), log=log) as service:
        run(service, tmp_path)
        before = len(images(log))
        clear = PARAMS.model_copy(update={"max_cloud_percent": 50})
        run(service, tmp_path, params=clear)
    assert len(images(log)) == before
