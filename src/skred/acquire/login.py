"""Tokens of an account: one login for all threads, a new one when it runs out or is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import requests
from oauthlib.oauth2 import BackendApplicationClient, MissingTokenError, OAuth2Error
from requests_oauthlib import OAuth2Session  # type: ignore[import-untyped]

from skred.acquire.refusals import AGAIN, one_line, status_of
from skred.acquire.service import Service
from skred.core.errors import InputError

_RENEW_BEFORE_S = 120.0  # seconds before its end that a token is renewed: a request may wait that long on its way


class Login:
    """Client credentials (RFC 6749 section 4.4). Threads may share it.

    The `sentinelhub` client's own session has no limit of time: a silent login address would hold a download for ever.
    """

    def __init__(self, service: Service, timeout_s: float, clock: Callable[[], float] = time.time) -> None:
        self._service, self._timeout_s, self._clock = service, timeout_s, clock
        self._lock = threading.Lock()
        self._token: dict[str, Any] | None = None
        self._all_tokens: list[str] = []

    def token(self, refused: str | None) -> dict[str, Any]:
        """A token that is not the `refused` one: of all threads whose token was refused, the first logs in.

        The result has `access_token` and `expires_at` (seconds since 1970).

        Raises
        ------
        InputError
            The credentials are refused.
        OAuth2Error, requests.RequestException, ValueError
            The login failed in another way; another try may help.
        """
        with self._lock:
            token = self._token
            ends_soon = token is not None and token["expires_at"] - self._clock() <= _RENEW_BEFORE_S
            if token is None or ends_soon or token["access_token"] == refused:
                try:
                    self._token = token = self._new_token()
                    self._all_tokens.append(token["access_token"])
                except (OAuth2Error, requests.HTTPError) as error:
                    if not _may_go_away(error):
                        raise InputError(
                            f"{self._service.token_url}: login refused ({one_line(error, self.secrets())}); check "
                            "SH_CLIENT_ID and SH_CLIENT_SECRET"
                        ) from None
                    raise
            return token

    def secrets(self) -> list[str]:
        """What must never be shown: a late answer may repeat a token that is long replaced."""
        shown = [self._service.client_secret, self._service.client_id, *self._all_tokens]
        return [secret for secret in shown if secret]

    def _new_token(self) -> dict[str, Any]:
        asked_at = self._clock()
        with OAuth2Session(client=BackendApplicationClient(client_id=self._service.client_id)) as session:
            session.register_compliance_hook("access_token_response", _check)
            token = session.fetch_token(
                token_url=self._service.token_url,
                client_id=self._service.client_id,
                client_secret=self._service.client_secret,
                include_client_id=True,
                timeout=self._timeout_s,
            )
        return {
            "access_token": str(token["access_token"]),
            "expires_at": asked_at + float(token.get("expires_in") or 0),
        }


def _may_go_away(error: OAuth2Error | requests.HTTPError) -> bool:
    if isinstance(error, OAuth2Error):
        return isinstance(error, MissingTokenError) or error.error in ("server_error", "temporarily_unavailable")
    status = status_of(error)
    return status is None or status >= 500 or status in AGAIN


def _check(response: requests.Response) -> requests.Response:
    """The library looks at the body alone, and stumbles over one that is no JSON object."""
    try:
        content = response.json()
    except ValueError:
        response.raise_for_status()
        raise
    if not isinstance(content, dict):
        raise ValueError(f"the login answer is no JSON object but {type(content).__name__}")
    if "error" not in content or response.status_code >= 500 or response.status_code in AGAIN:
        response.raise_for_status()  # a status that may go away, whatever the body calls it
    return response
