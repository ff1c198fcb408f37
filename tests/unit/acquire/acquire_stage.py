"""The stage `download` as DVC starts it: a child process in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import yaml
from acquire_place import EVENT_DATA, GRID, PARAMS
from shapely.geometry import box

SOURCES = Path(__file__).resolve().parents[3] / "src"
MODULE = "skred.stages.download"


def write_inputs(folder):
    """Event file, parameters and inventory."""
    (folder / "storm.yaml").write_text(yaml.safe_dump(EVENT_DATA))
    (folder / "params.yaml").write_text(yaml.safe_dump({"download": PARAMS.model_dump()}))
    inventory = gpd.GeoDataFrame({"date": ["2019-07-30"]}, geometry=[box(*GRID.bounds)], crs=GRID.crs)
    inventory.to_crs("EPSG:4326").to_file(folder / "mapped.gpkg", driver="GPKG")
    return folder


def start(folder, service=None, out="raw", inventory="mapped.gpkg", before="", **environment):
    """The stage, in `folder` and with nothing of this process's environment but the sources.

    `before` is Python that the child runs first.
    """
    account = {}
    if service is not None:
        account = {
            "SH_CLIENT_ID": service.client_id,
            "SH_CLIENT_SECRET": service.client_secret,
            "SH_BASE_URL": service.base_url,
            "SH_TOKEN_URL": service.token_url,
        }
    given = ["--inventory", inventory] if inventory else []
    inputs = ["--params", "params.yaml", "--event", "storm.yaml", *given]
    run = ["-c", f"{before}; import runpy; runpy.run_module({MODULE!r}, None, '__main__', True)"]
    return subprocess.Popen(
        [sys.executable, *(run if before else ["-m", MODULE]), *inputs, "--store", "store", "--out", out],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(SOURCES)} | account | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(child):
    """Exit code, standard output and standard error."""
    out, err = child.communicate(timeout=60)
    return child.returncode, out, err


def files(folder):
    """Paths of all files, relative to `folder`."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
