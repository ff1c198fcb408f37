"""The examples of docs/offline-hub.md work as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from hub_client import GRID
from sentinelhub import CRS, BBox, bbox_to_dimensions
from test_hub_folder import optical, write

from skred.core.events import read_event
from skred.hub.faults import Fault, read_rules
from skred.hub.folder import read_folder
from skred.hub.items import S2
from skred.hub.simulated import simulated_source

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "offline-hub.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of the page in this language, in order."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


def _search_line(event: Path) -> str:
    """What the complete example says of the catalog, by other means than HTTP; it needs the whole world."""
    items = simulated_source(event, ROOT / "params.yaml").items()
    clear = [one for one in items if one.collection == S2 and one.properties["eo:cloud_cover"] < 30]
    newest = max(clear, key=lambda one: one.time)
    return f"{len(clear)} acquisitions with less than 30 % cloud, the newest: {newest.id}"


def _image_lines(event: Path) -> str:
    """What it says after that: units and bounds from the event's grid alone."""
    bounds = read_event(event).area.grid.bounds_lonlat()
    width, height = bbox_to_dimensions(BBox(bounds, CRS.WGS84), 10)
    units = max(width * height / 512**2, 0.01) * 2 / 3 * 2  # two bands, 32-bit output
    return f"offline: simulated | units: {units!r}\n{' '.join(map(str, bounds))}\nthe service ended with 0\n"


def _near(text: str) -> list[Any]:
    """Words, and numbers that may differ in the last digits."""
    return [pytest.approx(float(word), rel=1e-12) if re.fullmatch(r"\d+\.\d+", word) else word for word in text.split()]


def _words(text: str) -> list[Any]:
    return [float(word) if re.fullmatch(r"\d+\.\d+", word) else word for word in text.split()]


def test_the_output_on_the_page_is_that_of_its_event() -> None:
    # The line before is of a world that takes many seconds to make; a small one's is compared below.
    assert _words(blocks("")[0].split("\n", 1)[1]) == _near(_image_lines(ROOT / "data/events/control.yaml"))


@pytest.mark.skipif(sys.platform == "win32", reason="the example is for a POSIX shell")
def test_the_complete_example_runs_word_by_word(tmp_path: Path) -> None:
    (tmp_path / "data" / "events").mkdir(parents=True)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    event = yaml.safe_load((ROOT / "data/events/control.yaml").read_text())
    event["area"] |= {"width_m": 640, "height_m": 480}  # a small world is made in a second
    (tmp_path / "data/events/control.yaml").write_text(yaml.safe_dump(event))
    commands = {
        "skred": "-c 'from skred.cli import main; main()'",
        "python": "",
        "rio": "-c 'from rasterio.rio.main import main_group as main; main()'",
    }
    for name, options in commands.items():  # the environment of the tests, whatever is first on the path
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'#!/bin/sh\nexec "{sys.executable}" {options} "$@"\n')
        file.chmod(0o755)
    (tmp_path / "example.py").write_text(blocks("python")[0])
    script = f'PATH="{tmp_path}/bin:$PATH"\n' + blocks("sh")[0]
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    event_file = tmp_path / "data/events/control.yaml"
    search_line, _, image_lines = done.stdout.partition("\n")
    assert search_line == _search_line(event_file), done.stderr
    assert _words(image_lines) == _near(_image_lines(event_file))
    with rasterio.open(tmp_path / "ndvi.tif") as dataset:
        ndvi = dataset.read(1)
    assert 0.8 < np.isfinite(ndvi).mean() < 1  # the box in WGS84 is around a grid that is turned against it
    assert 0 < np.nanmedian(ndvi) < 1


def test_the_fault_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(blocks("yaml")[0])
    kinds = [rule.fault.kind for rule in read_rules(file)]
    assert kinds == ["status", "status", "corrupt", "status"]


def test_every_kind_of_fault_is_in_the_table() -> None:
    kinds = {one.model_fields["kind"].default for one in typing.get_args(Fault)}
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) - {"kind"} == kinds


def test_the_lines_for_tests_of_a_program_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pixels").mkdir()
    optical(tmp_path / "pixels")
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[1], {})  # noqa: S102


def test_the_script_for_radar_files_makes_a_folder_that_can_be_served(tmp_path: Path) -> None:
    for band in ("VV", "VH"):
        name = f"OPERA_L2_RTC-S1_T137-292321-IW2_20211119T015858Z_20250830T120333Z_S1A_30_v1.0_{band}.tif"
        write(tmp_path / name, np.full(GRID.shape, 0.1, np.float32))
    script = tmp_path / "items.py"
    script.write_text(blocks("python")[2])
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=60)
    source = read_folder(tmp_path)
    assert [item.time.isoformat() for item in source.items()] == ["2021-11-19T01:58:58+00:00"]
    assert source.grid == GRID
