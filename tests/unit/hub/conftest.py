"""Fixtures of the offline service's tests; the helpers are in hub_client.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hub_client import Checker, Client
from sentinelhub import SentinelHubDownloadClient

from skred.hub.server import HubSettings, serve


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    SentinelHubDownloadClient.clear_cache()


@pytest.fixture(scope="session")
def source() -> Checker:
    return Checker()


@pytest.fixture(scope="session")
def server(source: Checker) -> Iterator[HubSettings]:
    with serve(source) as settings:
        yield settings


@pytest.fixture
def client(server: HubSettings) -> Client:
    return Client(server)
