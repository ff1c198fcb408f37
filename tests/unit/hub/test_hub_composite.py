"""A composite made by the service equals download and composite: the same looks counted, the same greenest."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from hub_client import Client

from skred.composite.optical import clear_mask, greenest
from skred.core.grid import Window

WINDOW = Window(4, 10, 48, 60)
DROPPED = (0, 1, 3, 8, 9, 10)
ON_THE_SERVER = """//VERSION=3
function setup() {
  return {
    input: [{ bands: ["B04", "B08", "SCL", "dataMask"], units: ["DN", "DN", "DN", "DN"] }],
    output: [
      { id: "ndvi", bands: 1, sampleType: "FLOAT32" },
      { id: "looks", bands: 1, sampleType: "UINT16" },
    ],
    mosaicking: "ORBIT",
  };
}
const DROPPED = [0, 1, 3, 8, 9, 10];
function evaluatePixel(samples) {
  let best = NaN, looks = 0;
  for (const { B04, B08, SCL, dataMask } of samples) {
    if (!dataMask || DROPPED.includes(SCL) || B04 + B08 === 0) continue;
    looks++;
    const ndvi = (B08 - B04) / (B08 + B04);
    if (!(best >= ndvi)) best = ndvi;
  }
  return { ndvi: [best], looks: [looks] };
}
"""


def test_a_composite_of_the_service_equals_download_and_composite(client: Client) -> None:
    served = client.image(
        ON_THE_SERVER, window=WINDOW, time=("2019-07-01", "2019-07-31"), identifiers=("ndvi", "looks")
    )
    script = (files("skred.acquire") / "evalscripts" / "s2.js").read_text()

    def look(day: int) -> tuple[np.ndarray, np.ndarray]:
        date = f"2019-07-{day:02d}"
        image = client.image(script, window=WINDOW, time=(f"{date}T10:30:00", f"{date}T10:50:00"))
        *colours, scl = np.moveaxis(image, -1, 0)
        return np.stack(colours), clear_mask(scl, DROPPED, 0)

    local = greenest((look(day) for day in range(1, 29)), (WINDOW.height, WINDOW.width))
    assert len(np.unique(local.looks)) > 5
    assert np.array_equal(served["looks.tif"], local.looks)
    assert np.array_equal(np.isnan(served["ndvi.tif"]), np.isnan(local.ndvi))
    assert np.nanmax(np.abs(served["ndvi.tif"] - local.ndvi)) <= 1e-6
