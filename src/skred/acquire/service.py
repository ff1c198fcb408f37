"""Which image service pixels come from, and the account there. Secrets come from the environment only."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from skred.core.errors import InputError

CDSE_BASE_URL = "https://sh.dataspace.copernicus.eu"
CDSE_TOKEN_URL = "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"  # noqa: S105
ACCOUNT_PAGE = "https://shapps.dataspace.copernicus.eu/dashboard"


@dataclass(frozen=True)
class Service:
    """An image service and how to log in.

    `simulated` says that its pixels are invented. `identity` is what the store's keys call it: two services with the
    same identity answer the same request with the same pixels.
    """

    base_url: str
    token_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    simulated: bool
    identity: str

    @property
    def label(self) -> str:
        """How a manifest names the service: simulated pixels have no address."""
        return "offline" if self.simulated else self.base_url


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def allow_loopback(service: Service) -> None:
    """Let the OAuth library speak plain http, and any proxy stay aside, for a service on this machine only."""
    for url in (service.base_url, service.token_url):
        if url.startswith("http://") and not is_loopback(url):
            raise InputError(f"{url}: not https; the login would be readable on its way")
    if is_loopback(service.token_url):
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    if is_loopback(service.base_url):
        for name in ("NO_PROXY", "no_proxy"):
            hosts = [host for host in os.environ.get(name, "").split(",") if host]
            os.environ[name] = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))


def service_from(environment: Mapping[str, str]) -> Service:
    """The service that `SH_CLIENT_ID`, `SH_CLIENT_SECRET` and, where set, `SH_BASE_URL`, `SH_TOKEN_URL` name.

    A service on this machine is the offline one, so its pixels are simulated, whatever the event file says.

    Raises
    ------
    InputError
        Credentials are missing, or an address is neither https nor on this machine, or holds more than an address.
    """
    missing = [name for name in ("SH_CLIENT_ID", "SH_CLIENT_SECRET") if not environment.get(name)]
    if missing:
        raise InputError(
            f"environment: {' and '.join(missing)} not set; make an account and an OAuth client at {ACCOUNT_PAGE} "
            "(User settings, OAuth clients), then `export SH_CLIENT_ID=... SH_CLIENT_SECRET=...`"
        )
    base_url = (environment.get("SH_BASE_URL") or CDSE_BASE_URL).rstrip("/")
    token_url = environment.get("SH_TOKEN_URL") or CDSE_TOKEN_URL
    if base_url != CDSE_BASE_URL and token_url == CDSE_TOKEN_URL:
        raise InputError(
            "environment: SH_BASE_URL is set but SH_TOKEN_URL is not; set the login address of that service"
        )
    for name, url in (("SH_BASE_URL", base_url), ("SH_TOKEN_URL", token_url)):
        _refuse_more_than_an_address(name, url)
        if urlsplit(url).scheme != "https" and not is_loopback(url):
            raise InputError(f"environment: {name}: got {url!r}, wanted an https address (the login would be readable)")
    simulated = is_loopback(base_url)
    return Service(
        base_url=base_url,
        token_url=token_url,
        client_id=environment["SH_CLIENT_ID"],
        client_secret=environment["SH_CLIENT_SECRET"],
        simulated=simulated,
        identity=_identity(base_url, environment["SH_CLIENT_SECRET"], simulated=simulated),
    )


def _identity(base_url: str, client_secret: str, *, simulated: bool) -> str:
    """What the store's keys call the service.

    An offline service has a new secret at each start, and its address says nothing of the world behind it: another
    world may come to the same port. So the secret's hash (never the secret) tells one start from another, and a
    download from such a service goes on from what it has only as long as that service runs. The secret of a real
    account decides no pixel and may change, so it stays out.
    """
    if not simulated:
        return f"sentinelhub {base_url}"
    return f"offline {base_url} {hashlib.sha256(client_secret.encode()).hexdigest()}"


def _refuse_more_than_an_address(name: str, url: str) -> None:
    """Addresses stand in manifests and errors, so no secret may hide in them; the line does not show it either."""
    try:
        parts = urlsplit(url)
        clean = parts.hostname and "@" not in parts.netloc and not parts.query and not parts.fragment
        _ = parts.port
    except ValueError:
        clean = False
    if not clean:
        raise InputError(
            f"environment: {name}: wanted an address such as https://host/path, without user name, password, query or "
            "fragment; credentials go into SH_CLIENT_ID and SH_CLIENT_SECRET"
        )
