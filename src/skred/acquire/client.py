"""The image service through the `sentinelhub` client: login, catalog, images, with the checks that it leaves out.

The client's own cache folder, collection table and session cache are process-wide or not safe against a kill, so none
of them is used: requests are plain bodies, sessions belong to one `ImageService`, and bytes are kept by the store.
"""

from __future__ import annotations

import os
import threading
import warnings
from dataclasses import dataclass
from typing import Any

import requests
from numpy.typing import NDArray
from oauthlib.oauth2 import MissingTokenError, OAuth2Error
from sentinelhub.api.catalog import SentinelHubCatalog
from sentinelhub.config import SHConfig
from sentinelhub.constants import CRS, MimeType, RequestType
from sentinelhub.download.models import DownloadRequest
from sentinelhub.download.sentinelhub_client import SentinelHubDownloadClient
from sentinelhub.download.session import SentinelHubSession
from sentinelhub.exceptions import (
    DownloadFailedException,
    MissingDataInRequestException,
    OutOfRequestsException,
    SHRateLimitWarning,
)
from sentinelhub.geometry import BBox

from skred.acquire.answers import BrokenAnswerError, read_answer
from skred.acquire.bodies import Product
from skred.acquire.params import DownloadParams
from skred.acquire.service import Service, is_loopback
from skred.core.errors import InputError, SkredError
from skred.core.grid import Grid

SIMULATED_HEADER = "x-skred-simulated"
UNITS_HEADER = "x-processingunits-spent"

# Everything that one try can end with. `ValueError` holds JSON that is none and a Retry-After that is no whole number.
_TRY_ERRORS = (
    DownloadFailedException,
    MissingDataInRequestException,
    OAuth2Error,
    requests.RequestException,
    ValueError,
    KeyError,  # a catalog answer without its `context` or `features`
)
_AGAIN = {408, 429}  # of the 4xx, those that may go away


class StoppedError(SkredError):
    """A request was given up in the middle of its tries, because `ImageService.stop` was called."""


@dataclass(frozen=True)
class Image:
    """An answer: pixels of shape ``(bands, H, W)`` and the processing units that it cost."""

    array: NDArray[Any]
    units: float


class ImageService:
    """One account at one service. Threads may share it.

    Raises
    ------
    InputError
        The service is not on this machine and its addresses are not https.
    """

    def __init__(self, service: Service, params: DownloadParams) -> None:
        self.service = service
        self.params = params
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._session: SentinelHubSession | None = None
        # `use_defaults`: without it the client reads, and creates, a file in the user's home. One try per call: the
        # tries and waits are ours. Its loop after 429 stays, because only it reads how long the service asks to wait.
        self._config = SHConfig(
            use_defaults=True,
            sh_client_id=service.client_id,
            sh_client_secret=service.client_secret,
            sh_base_url=service.base_url,
            sh_token_url=service.token_url,
            max_download_attempts=1,
            max_retries=params.max_tries,
            download_timeout_seconds=params.timeout_s,
        )
        warnings.filterwarnings("ignore", category=SHRateLimitWarning)  # a wait is no news for a log of plain lines
        _allow_loopback(service)

    def stop(self) -> None:
        """End all waits, so that threads that still try give up soon."""
        self._stopped.set()

    def search(
        self, collection: str, interval: tuple[str, str], bbox: tuple[float, float, float, float], where: str | None
    ) -> Any:
        """All catalog features of `collection` within two ISO days and a box in WGS84 degrees, over all pages.

        Raises
        ------
        SkredError
            The service refuses, or does not answer within the tries.
        """

        def once(_: str) -> list[dict[str, Any]]:
            catalog = SentinelHubCatalog(config=self._config)
            catalog.client = self._client(self._session)
            found = catalog.search(
                collection,
                time=interval,
                bbox=BBox(bbox, CRS.WGS84),
                filter=where,
                limit=self.params.page_items,
            )
            return list(found)

        return self._try(once, f"catalog search of {collection} from {interval[0]} to {interval[1]}")

    def image(self, body: dict[str, Any], product: Product, grid: Grid, what: str) -> Image:
        """The image that `body` asks for, checked against `product` and `grid`; `what` names it in errors.

        Raises
        ------
        SkredError
            The service refuses, or gives no whole image within the tries.
        """

        def once(token: str) -> Image:
            # The header and not a session of the client's: threads that shared one would each log in when it ends.
            request = DownloadRequest(
                request_type=RequestType.POST,
                url=f"{self.service.base_url}/api/v1/process",
                post_values=body,
                headers={
                    "content-type": MimeType.JSON.get_string(),
                    "accept": MimeType.TIFF.get_string(),
                    "Authorization": f"Bearer {token}",
                },
                data_type=MimeType.TIFF,
            )
            response = self._client(None).download([request], max_threads=1, decode_data=False)[0]
            headers = {name.lower(): value for name, value in response.headers.items()}
            self._check_kind(headers, what)
            return Image(read_answer(response.content, product, grid), _units(headers))

        image: Image = self._try(once, what)
        return image

    def _client(self, session: SentinelHubSession | None) -> SentinelHubDownloadClient:
        # One client for each call: its lock is not made for threads that share it.
        return SentinelHubDownloadClient(
            session=session, config=self._config, default_retry_time=self.params.rate_limit_wait_s
        )

    def _try(self, once: Any, what: str) -> Any:
        refused: str | None = None
        problem = ""
        for attempt in range(1, self.params.max_tries + 1):
            try:
                token = self._token(refused)
                try:
                    return once(token)
                except DownloadFailedException as error:
                    if _status(error) != 401 or refused is not None:
                        raise
                    # One new login for each request: a token may have run out or been withdrawn.
                    refused = token
                    return once(self._token(refused))
            except _TRY_ERRORS as error:
                problem = self._one_line(error)
                self._raise_if_final(error, what, problem)
            if attempt < self.params.max_tries and self._stopped.wait(self._wait_s(attempt, what)):
                raise StoppedError(f"{what}: given up, because another request failed")
        raise SkredError(
            f"{self.service.base_url}: {what}: no usable answer after {attempt} tries, the last: {problem}; "
            "what has been fetched is kept, run the download again"
        )

    def _wait_s(self, attempt: int, what: str) -> float:
        # Jitter from the name and not from a clock: threads that failed together come back apart, reproducibly.
        jitter = 1 + (sum(what.encode()) + attempt * 37) % 100 / 400
        return float(self.params.wait_s * 3 ** (attempt - 1) * jitter)

    def _token(self, refused: str | None) -> str:
        """A token that is not `refused`: of all threads whose token was refused, the first logs in."""
        with self._lock:
            if self._session is None or self._session.token["access_token"] == refused:
                self._session = SentinelHubSession(config=self._config)
            token: str = self._session.token["access_token"]  # logs in again shortly before the token runs out
            return token

    def _raise_if_final(self, error: Exception, what: str, problem: str) -> None:
        """Errors that no further try can mend."""
        base = self.service.base_url
        if isinstance(error, OAuth2Error) and not isinstance(error, MissingTokenError):
            raise InputError(
                f"{self.service.token_url}: login refused ({problem}); check SH_CLIENT_ID and SH_CLIENT_SECRET"
            ) from None
        if isinstance(error, OutOfRequestsException):
            raise SkredError(
                f"{base}: {what}: too many requests, {self.params.max_tries} times; what has been fetched is kept, "
                "run the download again later or with fewer download.workers"
            ) from None
        status = _status(error)
        if status == 403 and "ACCESS_INSUFFICIENT_PROCESSING_UNITS" in problem:
            raise SkredError(
                f"{base}: {what}: the account has no processing units left; what has been fetched is kept, "
                "run the download again when the account has units"
            ) from None
        if status == 401:
            raise InputError(
                f"{base}: {what}: refused although logged in anew (401: {problem}); check that the account's client "
                "belongs to this service"
            ) from None
        if status is not None and 400 <= status < 500 and status not in _AGAIN:
            raise SkredError(f"{base}: {what}: refused with {status}: {problem}") from None

    def _check_kind(self, headers: dict[str, str], what: str) -> None:
        simulated = SIMULATED_HEADER in headers
        if simulated != self.service.simulated:
            told, found = ("simulated", "real") if self.service.simulated else ("real", "simulated")
            raise SkredError(
                f"{self.service.base_url}: {what}: wanted {told} pixels, but the answer says that they are {found}; "
                "check SH_BASE_URL"
            )

    def _one_line(self, error: Exception) -> str:
        text = " ".join(str(error).split()) or type(error).__name__
        response = _response(error)
        if response is not None:
            text = f"{response.status_code} {' '.join(response.text.split())}"
        for secret in filter(None, (self.service.client_secret, self.service.client_id)):
            text = text.replace(secret, "***")
        return text if len(text) <= 400 else text[:397] + "..."


def _allow_loopback(service: Service) -> None:
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


def _response(error: Exception) -> Any:
    inner = getattr(error, "request_exception", None) or error
    return getattr(inner, "response", None) if isinstance(inner, requests.RequestException) else None


def _status(error: Exception) -> int | None:
    response = _response(error)
    return None if response is None else int(response.status_code)


def _units(headers: dict[str, str]) -> float:
    try:
        return float(headers.get(UNITS_HEADER, 0.0))
    except ValueError as error:
        raise BrokenAnswerError(f"{UNITS_HEADER}: {headers[UNITS_HEADER]!r}") from error
