"""How fast the offline service runs an evalscript: maximum NDVI over clear looks, 5 scenes of 4 bands.

An output pixel is one of the answer; each has 5 scenes, so there are 5 times as many pixels of scenes.

``python benchmarks/hub.py --times 25``, on 2 cores with nothing else running:

    the script alone, fastest: 35 ms, 7.6 million output pixels a second, 38.0 million of scenes
    the script alone, median: 50 ms, 5.3 million output pixels a second, 26.4 million of scenes
    round trip of one request: first 0.15 s, fastest 0.108 s, median 0.121 s
    10 requests, fastest of 5 rounds: 1.15 s one after the other, 0.62 s two at once (1.86 times as fast on 2 cores)
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from skred.core.grid import Grid, Window
from skred.hub.engine import Engine
from skred.hub.items import S2, Item
from skred.hub.server import serve

SCENES = 5
ROUNDS = 5
SCRIPT = """//VERSION=3
function setup() {
  return {
    input: [{ bands: ["B04", "B08", "SCL", "dataMask"] }],
    output: { bands: 1, sampleType: "FLOAT32" },
    mosaicking: "ORBIT",
  };
}
function evaluatePixel(samples) {
  let best = -1;
  for (let i = 0; i < samples.length; i++) {
    const s = samples[i];
    if (!s.dataMask || s.SCL == 3 || s.SCL == 8 || s.SCL == 9 || s.SCL == 10) continue;
    const ndvi = (s.B08 - s.B04) / (s.B08 + s.B04);
    if (ndvi > best) best = ndvi;
  }
  return [best];
}
"""


@dataclass(frozen=True)
class Ready:
    """A source whose pixels are ready in memory: what is measured is the service."""

    grid: Grid
    pixels: dict[str, NDArray[Any]]
    simulated: bool = True

    def items(self) -> tuple[Item, ...]:
        west, south, east, north = self.grid.bounds_lonlat()
        ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
        return tuple(
            Item(f"S2_{day}", S2, dt.datetime(2019, 7, day, 10, tzinfo=dt.UTC), ring) for day in range(1, SCENES + 1)
        )

    def read(
        self, collection: str, item: Item | None, bands: tuple[str, ...], window: Window
    ) -> dict[str, NDArray[Any]]:
        return {band: self.pixels[band][window.slices] for band in bands}


def ready(size: int) -> Ready:
    rng = np.random.default_rng(1)
    pixels: dict[str, NDArray[Any]] = {
        "B04": rng.random((size, size), np.float32),
        "B08": rng.random((size, size), np.float32),
        "SCL": rng.integers(0, 12, (size, size), dtype=np.uint8),
        "dataMask": (rng.random((size, size)) < 0.9).astype(np.uint8),
    }
    return Ready(Grid("EPSG:32632", 300_000.0, 6_800_000.0, 10.0, size, size), pixels)


def script_seconds(source: Ready) -> float:
    """Seconds of the loop over all pixels, without reading them or writing a file."""
    size = source.grid.width * source.grid.height
    scene = np.stack([source.pixels[band].astype(np.float32).ravel() for band in ("B04", "B08", "SCL", "dataMask")])
    metadata = {"dateFrom": "2019-07-01T00:00:00Z", "dateTo": "2019-07-01T23:59:59Z", "tiles": []}
    job = {
        "pixels": size,
        "fusion": False,
        "sources": [
            {
                "id": "0",
                "bands": list(source.pixels),
                "mosaicking": "ORBIT",
                "scenes": [metadata] * SCENES,
                "dates": ["2019-07-01T10:00:00Z"] * SCENES,
                "offset": 0,
            }
        ],
        "outputs": [{"id": "default", "bands": 1, "type": "FLOAT32"}],
        "inputMetadata": {},
        "silent": False,
    }
    with Engine(SCRIPT, script_seconds=60, script_bytes=2**29) as engine:
        engine.allocate(SCENES * scene.size, result_bytes=4 * size)
        for _ in range(SCENES):
            engine.feed(scene)
        return seconds_of(lambda: engine.run(job))


def seconds_of(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def body(grid: Grid) -> str:
    request = {
        "input": {
            "bounds": {
                "bbox": list(grid.bounds),
                "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32632"},
            },
            "data": [
                {
                    "type": S2,
                    "dataFilter": {"timeRange": {"from": "2019-07-01T00:00:00Z", "to": "2019-07-31T00:00:00Z"}},
                }
            ],
        },
        "output": {
            "width": grid.width,
            "height": grid.height,
            "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}],
        },
        "evalscript": SCRIPT,
    }
    return json.dumps(request)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="pixels a side")
    parser.add_argument("--times", type=int, default=15, help="how often each is measured")
    args = parser.parse_args()
    say = sys.stdout.write
    source = ready(args.size)
    pixels = args.size**2 / 1e6
    loops = [script_seconds(source) for _ in range(args.times)]
    for name, loop in (("fastest", min(loops)), ("median", statistics.median(loops))):
        say(f"the script alone, {name}: {loop * 1e3:.0f} ms, {pixels / loop:.1f} million output pixels a second, ")
        say(f"{pixels * SCENES / loop:.1f} million of scenes\n")
    with serve(source) as settings:
        with requests.Session() as session:
            answer = session.post(
                settings.token_url,
                data={"grant_type": "client_credentials"},
                auth=(settings.client_id, settings.client_secret),
                timeout=60,
            )
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "Content-Type": "application/json"}

        def ask(_: int = 0) -> None:
            url = f"{settings.base_url}/api/v1/process"
            requests.post(url, data=body(source.grid), headers=headers, timeout=60).raise_for_status()

        first = seconds_of(ask)
        trips = [seconds_of(ask) for _ in range(args.times)]
        say(f"round trip of one request: first {first:.2f} s, fastest {min(trips):.3f} s, ")
        say(f"median {statistics.median(trips):.3f} s\n")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(ask, range(2)))  # the second process starts
            alone = min(seconds_of(lambda: [ask() for _ in range(10)]) for _ in range(ROUNDS))
            both = min(seconds_of(lambda: list(pool.map(ask, range(10)))) for _ in range(ROUNDS))
        say(f"10 requests, fastest of {ROUNDS} rounds: {alone:.2f} s one after the other, {both:.2f} s two at once ")
        say(f"({alone / both:.2f} times as fast on {os.cpu_count()} cores)\n")


if __name__ == "__main__":
    main()
