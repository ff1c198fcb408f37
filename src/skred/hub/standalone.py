"""The server for people: it prints what a `sentinelhub` program needs and serves until it is stopped."""

from __future__ import annotations

import json
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from skred.hub.items import PixelSource
from skred.hub.server import HubSettings, serve

_TEXT = """\
Offline Sentinel Hub with {kind} pixels, {items} items, at {base_url} (Ctrl-C stops it)

  client_id      {client_id}
  client_secret  {client_secret}
  base_url       {base_url}
  token_url      {token_url}
  bbox (WGS84)   {bbox}
  time_interval  {time_interval}
  grid           {crs} {grid_bbox}, {width} x {height} pixels

In the shell of the program that uses it:

  export OAUTHLIB_INSECURE_TRANSPORT=1 NO_PROXY=127.0.0.1

In the program:

  config = SHConfig(use_defaults=True, sh_client_id="{client_id}", sh_client_secret="{client_secret}",
                    sh_base_url="{base_url}", sh_token_url="{token_url}")
  collection = DataCollection.SENTINEL2_L2A.define_from("OFFLINE_S2_{port}", service_url="{base_url}")
  SentinelHubRequest(..., bbox=BBox([{bbox}], CRS.WGS84), size=(256, 256), config=config)

Each pixel of such a request takes the nearest one of the grid above. The grid's own are sent as they are, for
bbox=BBox([{grid_bbox}], CRS("{crs}")), size=({width}, {height}), or any part of it.
"""


def serve_until_stopped(source: PixelSource, *, as_json: bool = False, **options: Any) -> None:
    """Serve `source` until SIGINT (Ctrl-C) or SIGTERM, then return.

    Standard output gets the settings once requests are answered: text for a person, or with `as_json` one line of
    JSON, the fields of `skred.hub.server.HubSettings`. `options` are those of `skred.hub.server.serve`.

    Raises
    ------
    SkredError
        The port is taken.
    """
    stopped = threading.Event()
    with ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, lambda *_: stopped.set()))
        settings = stack.enter_context(serve(source, **options))
        sys.stdout.write(json.dumps(asdict(settings)) + "\n" if as_json else describe(source, settings))
        sys.stdout.flush()
        stopped.wait()


def describe(source: PixelSource, settings: HubSettings) -> str:
    """The settings as text for a person."""
    shown = asdict(settings)
    shown["bbox"] = ", ".join(f"{degrees:.6f}" for degrees in settings.bbox)
    shown["grid_bbox"] = ", ".join(f"{metres:.15g}" for metres in settings.grid_bbox)
    shown["time_interval"] = " to ".join(settings.time_interval)
    width, height = settings.size
    return _TEXT.format(
        **shown,
        kind="simulated" if source.simulated else "your own",
        items=len(source.items()),
        width=width,
        height=height,
        port=settings.base_url.rpartition(":")[2],
    )
