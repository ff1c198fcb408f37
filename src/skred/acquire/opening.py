"""The image service of an event: the real one, or the offline one, started for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skred.acquire.client import ImageService
from skred.acquire.limiter import Limiter
from skred.acquire.params import DownloadParams
from skred.acquire.service import service_from
from skred.core.events import Event


@contextmanager
def image_service(event_file: Path, event: Event, params_file: Path, params: DownloadParams) -> Iterator[ImageService]:
    """The service that the event's source means; an offline one ends with the block.

    Raises
    ------
    SkredError
        Credentials are missing, or the offline service does not start.
    """
    if event.source == "simulated":
        # Imported here, so that a real download depends on no code of the world.
        from skred.acquire.simulated import offline_service  # noqa: PLC0415

        with offline_service(event_file, event, params_file, params) as service:
            yield ImageService(service, params, Limiter())  # it costs nothing: no account, no limits
    else:
        limiter = Limiter(params.account_requests_per_minute, params.account_pu_per_minute)
        yield ImageService(service_from(os.environ), params, limiter)
