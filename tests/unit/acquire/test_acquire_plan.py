"""What a download will cost is known before anything is spent."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from acquire_place import EVENT, EVENT_DATA, GRID, ITEMS, PARAMS, Place, images, radar, run, served

from skred.acquire.bodies import DEM, S1, S2, VIEWING
from skred.acquire.client import ImageService
from skred.acquire.cost import cost_of, processing_units
from skred.acquire.limiter import Limiter
from skred.acquire.plan import make_plan, table
from skred.acquire.store import Store
from skred.core.errors import InputError
from skred.core.grid import Grid

ROOT = Path(__file__).resolve().parents[3]
WITH_DATA = tuple(one for one in ITEMS if "empty" not in one.id)


def planned(service, folder, event=EVENT, params=PARAMS):
    return make_plan(event, ImageService(service, params, Limiter()), params, Store(folder / "store"))


def grid(side):
    return Grid("EPSG:32632", 400_000.0, 6_800_000.0, 10.0, side, side)


@pytest.mark.parametrize(
    ("product", "side", "units"),
    [(S2, 512, 5 / 3), (S1, 512, 2 / 3 * 2.5), (VIEWING, 512, 2 / 3 * 2.5), (DEM, 512, 2 / 3), (DEM, 16, 0.02 / 3)],
)
def test_the_price_of_a_request_is_that_of_the_documentation(product, side, units):
    assert processing_units(product, grid(side)) == pytest.approx(units)


def test_tiles_cost_a_request_each_and_small_ones_their_smallest_price():
    cost = cost_of(S2, grid(512), 256)
    assert (cost.images, cost.requests, cost.pixel_bytes) == (1, 4, 512 * 512 * 5 * 2)
    assert cost.units == pytest.approx(5 / 3)
    assert cost_of(S2, grid(64), 16).units == pytest.approx(16 * 0.01 * 5 / 3)


@pytest.mark.parametrize("tile_px", [2500, 40])
def test_the_plan_agrees_with_what_the_service_counts(tmp_path, tile_px):
    params = PARAMS.model_copy(update={"tile_px": tile_px})
    log = []
    with served(Place(listed=WITH_DATA), log=log) as service:
        plan = planned(service, tmp_path, params=params)
        assert images(log) == []
        run(service, tmp_path, params=params)
        after = planned(service, tmp_path, params=params)
    assert plan.missing.requests == len(images(log))
    assert plan.missing.units == pytest.approx(sum(call.units for call in images(log)), rel=0.01)
    assert plan.missing == plan.all == after.all
    assert (after.missing.images, after.missing.units) == (0, 0)


def test_a_track_that_shows_nothing_is_counted_until_that_is_known(tmp_path):
    log = []
    with served(Place(), log=log) as service:
        before = planned(service, tmp_path)
        run(service, tmp_path)
        after = planned(service, tmp_path)
    assert before.missing.requests == len(images(log)) + 1
    assert after.missing.requests == 0


def test_of_a_download_that_broke_off_only_the_rest_is_counted(tmp_path):
    new = radar("S1A_new", "2019-08-20T17:15:00Z", "ascending", 44)
    log = []
    with served(Place(listed=WITH_DATA)) as service:
        run(service, tmp_path)
    with served(Place(listed=(*WITH_DATA, new)), log=log) as service:
        plan = planned(service, tmp_path)
        run(service, tmp_path)
    assert plan.missing.images in (1, 2)  # the new pass; and how its track sees the ground, if that pass shows most
    assert len(images(log)) == 1
    (row,) = [row for row in plan.rows if row.name == "S1 ascending 044"]
    assert (row.all.images, row.missing.images) == (3, 1)


def test_the_table_has_each_sensor_and_track_with_sums(tmp_path):
    with served(Place()) as service:
        plan = planned(service, tmp_path)
    text = "\n".join(table(plan, PARAMS))
    for name in ("S1 ascending 044", "S1 ascending 117", "S1 descending 139", "S2 track 051", "S1 angles", "DEM"):
        assert name in text
    assert "left out: 1 older version" in text
    assert plan.all.images == len(plan.orders) + 1 + 3
    assert f"{plan.missing.units:.2f}" in text
    assert f"{GRID.width} x {GRID.height} pixels of 10 m" in text


def test_over_the_budget_the_download_refuses_with_the_numbers_before_the_first_image(tmp_path):
    log = []
    poor = PARAMS.model_copy(update={"budget_pu": 0.1})
    with served(Place(), log=log) as service:
        plan = planned(service, tmp_path)
        with pytest.raises(InputError) as caught:
            run(service, tmp_path, params=poor)
        assert images(log) == []
        told = str(caught.value)
        assert f"{plan.missing.requests} requests would cost {plan.missing.units:.1f} PU" in told
        assert "download.budget_pu (0.1)" in told
        run(service, tmp_path)
        run(service, tmp_path, params=poor)  # all is kept: it costs nothing


def skred(folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from skred.cli import main; main()", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT / "src")} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data/events").mkdir(parents=True)
    (tmp_path / "data/events/storm.yaml").write_text(yaml.safe_dump(EVENT_DATA))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"download": PARAMS.model_dump()}))
    return tmp_path


@pytest.mark.parametrize("name", ["storm", "data/events/storm.yaml"])
def test_the_command_prints_the_plan_of_a_real_event_and_writes_nothing(folder, name):
    before = sorted(folder.rglob("*"))
    with served(Place()) as service:
        done = skred(
            folder,
            "plan",
            name,
            SH_CLIENT_ID=service.client_id,
            SH_CLIENT_SECRET=service.client_secret,
            SH_BASE_URL=service.base_url,
            SH_TOKEN_URL=service.token_url,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("storm: 2019-06-30 to 2019-07-29, 2019-07-31 to 2019-08-29; 64 x 48 pixels of 10 m\n")
    assert "% of 10000 PU" in done.stdout
    assert sorted(folder.rglob("*")) == before


def test_the_command_says_that_a_real_event_needs_an_account(folder):
    done = skred(folder, "plan", "storm")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("skred: environment: SH_CLIENT_ID and SH_CLIENT_SECRET not set; make an account")
    assert done.stderr.endswith("asks the service's catalogue which images there are\n")


def test_the_command_starts_the_offline_service_for_a_simulated_event_and_fails_over_the_budget(folder):
    world = yaml.safe_load((ROOT / "params.yaml").read_text())["world"]
    poor = PARAMS.model_dump() | {"budget_pu": 0.5}
    (folder / "params.yaml").write_text(yaml.safe_dump({"download": poor, "world": world}))
    event = EVENT_DATA | {"source": "simulated", "simulation": {"seed": 5, "landslides": 2}}
    (folder / "data/events/storm.yaml").write_text(yaml.safe_dump(event))
    done = skred(folder, "plan", "storm")
    assert done.returncode == 2
    assert "S1 descending" in done.stdout
    assert done.stderr.count("\n") == 1
    assert "more than download.budget_pu (0.5)" in done.stderr
