"""The simulated world behind the service: ``python -m skred.hub`` as the download stage starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_client import PROCESSING, Client
from pyproj import Transformer
from sentinelhub import DataCollection, SentinelHubCatalog
from shapely.geometry import Polygon

from skred.core.events import Event, read_event
from skred.core.grid import Window
from skred.core.params import read_section
from skred.hub.items import S1, S2
from skred.hub.server import HubSettings
from skred.hub.simulated import SimulatedSource
from skred.world.acquisitions import covered
from skred.world.params import WorldParams
from skred.world.world import World, build_world

REPOSITORY = Path(__file__).parents[3]
PARAMS = REPOSITORY / "params.yaml"


@pytest.fixture(scope="module")
def event_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = (REPOSITORY / "data" / "events" / "unseen.yaml").read_text()
    for old, new in (
        ("name: unseen", "name: small"),
        ("width_m: 5120", "width_m: 1280"),
        ("height_m: 5120", "height_m: 960"),
        ("landslides: 45", "landslides: 2"),
    ):
        assert old in text
        text = text.replace(old, new)
    file = tmp_path_factory.mktemp("event") / "small.yaml"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def event(event_file: Path) -> Event:
    return read_event(event_file)


@pytest.fixture(scope="module")
def world(event: Event) -> World:
    return build_world(read_section(PARAMS, "world", WorldParams), event)


@pytest.fixture(scope="module")
def hub(event_file: Path) -> Iterator[Client]:
    command = [sys.executable, "-m", "skred.hub", "--event", str(event_file), "--params", str(PARAMS), "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            yield Client(HubSettings(**json.loads(child.stdout.readline())))
            child.stdin.close()
            assert child.wait(20) == 0
        finally:
            child.kill()


def test_every_pass_of_the_world_is_an_item(world: World) -> None:
    items = {item.id: item for item in SimulatedSource(world).items()}
    assert set(items) == {one.id for one in world.acquisitions()}
    for one in world.acquisitions():
        item = items[one.id]
        assert item.time == one.time
        if one.sensor == "S1":
            assert item.collection == S1
            assert item.properties["sat:orbit_state"] == one.orbit_direction
            assert item.properties["platform"] in ("sentinel-1a", "sentinel-1b")
        else:
            assert item.collection == S2
            assert item.properties["eo:cloud_cover"] == one.cloud_cover_percent


def test_a_footprint_is_what_the_pass_covers(world: World) -> None:
    to_metres = Transformer.from_crs("EPSG:4326", world.grid.crs, always_xy=True)
    acquisitions = {one.id: one for one in world.acquisitions()}
    for item in SimulatedSource(world).items():
        outline = Polygon(zip(*to_metres.transform(*zip(*item.footprint, strict=True)), strict=True))
        share = covered(acquisitions[item.id], world.grid, world.grid.whole).mean()
        assert outline.area / 1e6 / world.grid.area_km2 == pytest.approx(share, abs=0.02)


def test_the_child_serves_the_world_s_own_pixels(hub: Client, world: World) -> None:
    acquisition = next(one for one in world.acquisitions() if one.sensor == "S1")
    script = (
        '//VERSION=3\nfunction setup() { return { input: ["VV", "localIncidenceAngle", "dataMask"], '
        'output: { bands: 3, sampleType: "FLOAT32" } }; }\n'
        "function evaluatePixel(s) { return [s.VV, s.localIncidenceAngle, s.dataMask]; }"
    )
    window = Window(10, 20, 50, 60)
    image = hub.image(
        script,
        base=DataCollection.SENTINEL1_IW,
        time=(acquisition.time.replace(tzinfo=None), acquisition.time.replace(tzinfo=None)),
        other={"processing": PROCESSING},
        grid=world.grid,
        window=window,
    )
    pixels = world.radar(acquisition, window)
    angle = world.viewing(acquisition.orbit_direction, acquisition.relative_orbit, window)["localIncidenceAngle"]
    seen = pixels["dataMask"] == 1
    assert np.array_equal(image[..., 2], pixels["dataMask"])
    assert np.array_equal(image[seen][:, 0], pixels["VV"][seen])
    assert np.array_equal(image[seen][:, 1], angle[seen])


def test_the_child_s_catalog_covers_the_event(hub: Client, event: Event) -> None:
    catalog = SentinelHubCatalog(config=hub.config)
    days = (event.pre.first, event.post.last)
    assert hub.settings.time_interval[0] >= days[0].isoformat()
    for collection in (S1, S2):
        assert len(list(catalog.search(collection, time=days, limit=7))) > 10


def test_a_mistake_ends_the_child_with_one_line(event_file: Path) -> None:
    command = [sys.executable, "-m", "skred.hub", "--event", str(event_file) + "x", "--params", str(PARAMS)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("skred: ")
    assert done.stderr.count("\n") == 1
