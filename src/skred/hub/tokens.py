"""Client credentials: who may ask, and for how long (OAuth 2.0, RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from skred.hub.errors import UNAUTHORIZED, ServiceError


class TokenDesk:
    """Gives tokens to the one client that knows the secret, and checks them.

    Parameters
    ----------
    client_id, client_secret
        What the client must show.
    token_seconds
        How long a token is good.
    clock
        Seconds that only grow.
    """

    def __init__(
        self, client_id: str, client_secret: str, token_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = (client_id, client_secret)
        self._seconds, self._clock = token_seconds, clock
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()

    def grant(self, form: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
        """Status and JSON answer to a token request with the body `form` and that header.

        A refusal has OAuth's own form, not the service's, as at the real token address.
        """
        fields = {name: values[-1] for name, values in parse_qs(form).items()}
        if fields.get("grant_type") != "client_credentials":
            return HTTPStatus.BAD_REQUEST, {
                "error": "unsupported_grant_type",
                "error_description": "wanted grant_type=client_credentials",
            }
        shown = _basic(authorization) or (fields.get("client_id", ""), fields.get("client_secret", ""))
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(shown, self._client, strict=True)):
            return HTTPStatus.UNAUTHORIZED, {
                "error": "unauthorized_client",
                "error_description": "Invalid client or Invalid client credentials",
            }
        token, now = secrets.token_urlsafe(24), self._clock()
        with self._lock:
            self._ends = {old: end for old, end in self._ends.items() if end > now}
            self._ends[token] = now + self._seconds
        return HTTPStatus.OK, {"access_token": token, "expires_in": self._seconds, "token_type": "Bearer"}

    def check(self, authorization: str | None) -> None:
        """Raises ServiceError 401 unless the header carries a token of ours that has not expired."""
        kind, _, token = (authorization or "").partition(" ")
        with self._lock:
            end = self._ends.get(token) if kind == "Bearer" else None
        if end is None:
            raise ServiceError(
                HTTPStatus.UNAUTHORIZED, UNAUTHORIZED, "You are not authorized! Please provide a valid access token."
            )
        if end <= self._clock():
            raise ServiceError(HTTPStatus.UNAUTHORIZED, UNAUTHORIZED, "The access token expired; get a new one.")

    def revoke_all(self) -> None:
        """Make every token invalid, as when the service restarts."""
        with self._lock:
            self._ends.clear()


def _basic(authorization: str | None) -> tuple[str, str] | None:
    kind, _, coded = (authorization or "").partition(" ")
    if kind != "Basic":
        return None
    try:
        name, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret
