"""The image service through the `sentinelhub` client: catalog and images, with the tries that it leaves out.

The client's own cache folder, collection table and session cache are process-wide or not safe against a kill, so none
of them is used: requests are plain bodies, logins belong to one `ImageService`, and bytes are kept by the store.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from numpy.typing import NDArray
from oauthlib.oauth2 import OAuth2Error
from sentinelhub.api.catalog import SentinelHubCatalog
from sentinelhub.config import SHConfig
from sentinelhub.constants import CRS, MimeType, RequestType
from sentinelhub.download.models import DownloadRequest, DownloadResponse
from sentinelhub.download.sentinelhub_client import SentinelHubDownloadClient
from sentinelhub.download.session import SentinelHubSession
from sentinelhub.exceptions import DownloadFailedException, MissingDataInRequestException, SHRateLimitWarning
from sentinelhub.geometry import BBox

from skred.acquire.answers import read_answer, units_of
from skred.acquire.bodies import Product
from skred.acquire.cost import processing_units
from skred.acquire.limiter import Limiter, StoppedError
from skred.acquire.login import Login
from skred.acquire.params import DownloadParams
from skred.acquire.refusals import AGAIN, never_sent, one_line, status_of
from skred.acquire.service import Service, allow_loopback
from skred.acquire.spending import Bill, Spending, Spent
from skred.acquire.turns import RateLimitedError, Turns
from skred.core.errors import InputError, SkredError
from skred.core.grid import Grid

SIMULATED_HEADER = "x-skred-simulated"

# Everything that one try can end with. `ValueError` holds JSON that is none and bodies that are no image.
_TRY_ERRORS = (
    DownloadFailedException,
    MissingDataInRequestException,
    OAuth2Error,
    requests.RequestException,
    ValueError,
    KeyError,  # a catalog answer without its `context` or `features`
    TypeError,  # or with another kind of value there
)
_KEPT = "what has been fetched is kept"
T = TypeVar("T")


@dataclass(frozen=True)
class Image:
    """An answer: pixels of shape ``(bands, H, W)`` and the processing units that it cost."""

    array: NDArray[Any]
    units: float


class ImageService:
    """One account at one service. Threads may share it.

    Parameters
    ----------
    service, params, limiter
        The account, how to ask, and the limits that it keeps.
    stopped
        All waits between tries are waits for this event, which `stop` sets; a new one by default.

    Raises
    ------
    InputError
        The service is not on this machine and its addresses are not https.
    """

    def __init__(
        self, service: Service, params: DownloadParams, limiter: Limiter, stopped: threading.Event | None = None
    ) -> None:
        self.service = service
        self.params = params
        self._limiter = limiter
        self._spending = Spending(params.budget_pu)
        self._stopped = threading.Event() if stopped is None else stopped
        self._login = Login(service, params.timeout_s)
        # `use_defaults`: without it the client reads, and creates, a file in the user's home. One try per call: the
        # tries and waits are ours.
        self._config = SHConfig(
            use_defaults=True,
            sh_client_id=service.client_id,
            sh_client_secret=service.client_secret,
            sh_base_url=service.base_url,
            sh_token_url=service.token_url,
            max_download_attempts=1,
            download_timeout_seconds=params.timeout_s,
        )
        warnings.filterwarnings("ignore", category=SHRateLimitWarning)  # a wait is no news for a log of plain lines
        allow_loopback(service)

    def stop(self) -> None:
        """End all waits, so that threads that still try give up soon."""
        self._stopped.set()
        self._limiter.stop()

    @property
    def spent(self) -> Spent:
        """What the account was charged by this object."""
        return self._spending.spent

    def search(
        self, collection: str, interval: tuple[str, str], bbox: tuple[float, float, float, float], where: str | None
    ) -> list[dict[str, Any]]:
        """All catalog features of `collection` within two ISO days and a box in WGS84 degrees, over all pages.

        Raises
        ------
        SkredError
            The service refuses, or does not answer within the tries.
        """

        def once(token: dict[str, Any]) -> list[dict[str, Any]]:
            catalog = SentinelHubCatalog(config=self._config)
            # Not `from_token`, which reads, and creates, a file in the user's home.
            session = SentinelHubSession(config=self._config, refresh_before_expiry=None, _token=token)
            with self._client(0.0, session) as catalog.client:
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
            The service refuses, gives no whole image within the tries, or the next try would pass `budget_pu`.
        """

        def once(token: dict[str, Any]) -> Image:
            # The header and not a session of the client's: it may not be shared by threads.
            request = DownloadRequest(
                request_type=RequestType.POST,
                url=f"{self.service.base_url}/api/v1/process",
                post_values=body,
                headers={
                    "content-type": MimeType.JSON.get_string(),
                    "accept": MimeType.TIFF.get_string(),
                    "Authorization": f"Bearer {token['access_token']}",
                },
                data_type=MimeType.TIFF,
            )
            price = processing_units(product, grid)
            with self._spending.request(price, what) as bill:
                with self._client(price, None) as client:
                    response = _answer(client, request, bill)
                headers = {name.lower(): value for name, value in response.headers.items()}
                # Before all else: a broken answer has been charged like any other.
                units = bill.units = units_of(headers)
                array = read_answer(response.content, product, grid)
                self._check_kind(headers, what)
                bill.useful = True
            return Image(array, units)

        return self._try(once, what)

    @contextmanager
    def _client(self, units: float, session: SentinelHubSession | None) -> Iterator[SentinelHubDownloadClient]:
        """A client for one call (its lock is not made for threads that share it) of requests of so many units."""
        client = SentinelHubDownloadClient(session=session, config=self._config)
        turns = Turns(self._limiter, units)
        client.rate_limit = turns  # type: ignore[assignment]
        try:
            yield client
        finally:
            turns.close()

    def _try(self, once: Callable[[dict[str, Any]], T], what: str) -> T:
        """What `once` gives, after as many tries as it takes and `max_tries` allow."""
        problem, refusals = "", 0
        for attempt in range(1, self.params.max_tries + 1):
            wait_s = self._wait_s(attempt, what)
            try:
                return self._with_token(once)
            except RateLimitedError as error:
                problem = str(error)
                wait_s = self._pause(error, attempt, wait_s, what)
            except _TRY_ERRORS as error:
                problem = one_line(error, self._login.secrets())
                refusals += status_of(error) == 401
                self._raise_if_final(error, what, problem, refusals)
            if attempt < self.params.max_tries and self._stopped.wait(wait_s):
                raise StoppedError(f"{what}: given up, because another request failed")
        raise SkredError(
            f"{self.service.base_url}: {what}: no usable answer after {self.params.max_tries} tries, the last: "
            f"{problem}; {_KEPT}, run the download again"
        )

    def _with_token(self, once: Callable[[dict[str, Any]], T]) -> T:
        token = self._login.token(refused=None)
        try:
            return once(token)
        except DownloadFailedException as error:
            if status_of(error) != 401:
                raise
        # One new login for each try: a token may have run out or been withdrawn.
        return once(self._login.token(refused=token["access_token"]))

    def _pause(self, error: RateLimitedError, attempt: int, wait_s: float, what: str) -> float:
        """Hold all threads for as long as the service asks, and longer when asking again did not help."""
        asked_s = self.params.rate_limit_wait_s if error.wait_s is None else error.wait_s
        if asked_s > self.params.longest_wait_s:
            raise SkredError(
                f"{self.service.base_url}: {what}: too many requests, and the service asks to wait {asked_s:.0f} s, "
                f"more than download.longest_wait_s ({self.params.longest_wait_s:g}); {_KEPT}, run the download "
                "again later"
            ) from None
        self._limiter.pause(asked_s)
        return 0.0 if attempt == 1 else wait_s / 3

    def _wait_s(self, attempt: int, what: str) -> float:
        # Jitter from the name and not from a clock: threads that failed together come back apart, reproducibly.
        jitter = 1 + (sum(what.encode()) + attempt * 37) % 100 / 400
        return float(min(self.params.wait_s * 3 ** (attempt - 1) * jitter, self.params.longest_wait_s))

    def _raise_if_final(self, error: Exception, what: str, problem: str, refusals: int) -> None:
        """Errors that no further try can mend."""
        base, status = self.service.base_url, status_of(error)
        if status == 403 and "ACCESS_INSUFFICIENT_PROCESSING_UNITS" in problem:
            raise SkredError(
                f"{base}: {what}: the account has no processing units left; {_KEPT}, run the download again when the "
                "account has units"
            ) from None
        if status == 401 and refusals > 1:
            raise InputError(
                f"{base}: {what}: refused although logged in anew ({problem}); check that the account's client "
                "belongs to this service"
            ) from None
        if status is not None and 400 <= status < 500 and status not in (401, *AGAIN):
            raise SkredError(f"{base}: {what}: refused with {problem}; {_KEPT}") from None

    def _check_kind(self, headers: dict[str, str], what: str) -> None:
        simulated = SIMULATED_HEADER in headers
        if simulated != self.service.simulated:
            told, found = ("simulated", "real") if self.service.simulated else ("real", "simulated")
            raise SkredError(
                f"{self.service.base_url}: {what}: wanted {told} pixels, but the answer says that they are {found}; "
                "check SH_BASE_URL"
            )


def _answer(client: SentinelHubDownloadClient, request: DownloadRequest, bill: Bill) -> DownloadResponse:
    """The answer; an error in place of an image costs nothing, nor does a request that was never sent."""
    try:
        return client.download([request], max_threads=1, decode_data=False)[0]  # type: ignore[no-any-return]
    except (RateLimitedError, StoppedError):
        bill.units = 0.0
        raise
    except DownloadFailedException as error:
        if status_of(error) is not None or never_sent(error):
            bill.units = 0.0
        raise
