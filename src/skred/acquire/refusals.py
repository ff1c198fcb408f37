"""What the libraries' errors say: the status of the answer, one line without secrets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import requests

AGAIN = (408, 429)  # of the 4xx, those that may go away
_LONGEST = 400  # characters of an answer that a line repeats


def response_of(error: Exception) -> Any:
    """The answer behind an error, or None."""
    inner = getattr(error, "request_exception", None) or error
    return getattr(inner, "response", None) if isinstance(inner, requests.RequestException) else None


def status_of(error: Exception) -> int | None:
    """The HTTP status behind an error, or None."""
    response = response_of(error)
    return None if response is None else int(response.status_code)


def never_sent(error: Exception) -> bool:
    """Whether there was no connection at all, so that the service knows nothing of the request."""
    inner = getattr(error, "request_exception", None) or error
    if isinstance(inner, (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)):
        return True
    if not isinstance(inner, requests.ConnectionError):
        return False
    # By name: the class is of a library under the one that we use.
    reason = getattr(inner.args[0] if inner.args else None, "reason", None)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def one_line(error: Exception, secrets: Iterable[str]) -> str:
    """The error as one line, with three stars for each secret."""
    response = response_of(error)
    text = str(error) if response is None else f"{response.status_code} {response.text}"
    for secret in secrets:
        text = text.replace(secret, "***")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
