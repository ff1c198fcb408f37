"""The stage `download` as DVC starts it."""

import json
import signal

import geopandas as gpd
import pytest
from acquire_place import GRID, PARAMS, Place, digest, served
from acquire_stage import files, finish, start, write_inputs

from skred.manifest import read_manifest


@pytest.fixture
def folder(tmp_path):
    return write_inputs(tmp_path)


def test_a_real_event_runs_against_any_service_named_in_the_environment(folder):
    with served(Place()) as service:
        code, out, err = finish(start(folder, service))
        assert (code, out) == (0, ""), err
        assert service.client_secret not in err
        assert not [p for p in folder.rglob("*") if p.is_file() and service.client_secret.encode() in p.read_bytes()]
    manifest = read_manifest(folder / "raw")
    assert manifest.simulated
    inventory = gpd.read_file(folder / "raw" / manifest.inventory.file)
    assert inventory.crs == GRID.crs
    assert inventory["date"].tolist() == ["2019-07-30"]
    assert not (folder / ".config").exists()  # of the client, which likes to write there


class Killer(Place):
    """Kills a process when it asks for its n-th image."""

    def read(self, collection, found, bands, window):
        if self.reads.total() >= self.fatal_read and self.victim.poll() is None:
            self.victim.send_signal(signal.SIGKILL)
            self.victim.wait(10)
        return super().read(collection, found, bands, window)


@pytest.mark.parametrize("fatal_read", [6])
def test_a_killed_download_resumes_and_gives_the_same_bytes_without_asking_again(folder, fatal_read):
    place = Killer()
    place.fatal_read = fatal_read
    with served(place) as service:
        place.victim = start(folder, service)
        code, _, _ = finish(place.victim)
        assert code == -signal.SIGKILL
        assert not (folder / "raw").exists()
        kept = len(list((folder / "store").glob("*.json")))
        code, _, err = finish(start(folder, service))
        assert code == 0, err
        assert f"{kept} were kept from before" in err
        code, _, err = finish(start(folder, service, out="undisturbed"))
        assert code == 0, err
    assert digest(folder / "raw") == digest(folder / "undisturbed")
    assert not [name for name in files(folder) if name.endswith(".part")]


@pytest.mark.parametrize(
    ("missing", "told"),
    [("SH_CLIENT_SECRET", "export SH_CLIENT_ID=... SH_CLIENT_SECRET=..."), ("inventory", "put the inventory there")],
)
def test_what_is_missing_is_one_line_and_exit_code_2_and_nothing_is_written(folder, missing, told):
    before = files(folder)
    with served(Place()) as service:
        changes = {"inventory": "none.gpkg"} if missing == "inventory" else {missing: ""}
        code, out, err = finish(start(folder, service, **changes))
    assert (code, out) == (2, "")
    assert err.startswith("skred: ")
    assert err.count("\n") == 1
    assert told in err
    assert files(folder) == before


def test_wrong_credentials_are_one_line_and_exit_code_2(folder):
    with served(Place()) as service:
        code, out, err = finish(start(folder, service, SH_CLIENT_SECRET="not-the-secret"))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "check SH_CLIENT_ID and SH_CLIENT_SECRET" in err
    assert "not-the-secret" not in err


def test_a_wrong_parameter_names_the_file_and_the_key(folder):
    (folder / "params.yaml").write_text(json.dumps({"download": PARAMS.model_dump() | {"workers": 0}}))
    code, _, err = finish(start(folder))
    assert code == 2
    assert "params.yaml: download.workers: got 0" in err
