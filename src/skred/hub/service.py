"""The service without its transport: a path, headers and a body in, an answer out."""

from __future__ import annotations

import json
import os
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from rasterio.errors import RasterioError

from skred.hub.catalog import search
from skred.hub.damage import damaged
from skred.hub.errors import METHOD_NOT_ALLOWED, NOT_FOUND, ServiceError, status_error
from skred.hub.faults import (
    Body,
    BrokenChunk,
    Cut,
    Empty,
    Fault,
    FaultBook,
    Html,
    PathName,
    Reset,
    RevokeTokens,
    Slow,
    Status,
    request_key,
)
from skred.hub.items import PixelSource
from skred.hub.limits import Account
from skred.hub.render import Limits, render
from skred.hub.request import parse_request
from skred.hub.tokens import TokenDesk

TOKEN_PATH = "/token"  # noqa: S105
PATHS: dict[str, PathName] = {
    TOKEN_PATH: "token",
    "/api/v1/process": "process",
    "/process/v1": "process",
    "/api/v1/catalog/1.0.0/search": "catalog",
    "/catalog/v1/search": "catalog",
}
OFFLINE_HEADER = "X-Skred-Offline"
SIMULATED_HEADER = "X-Skred-Simulated"
UNITS_HEADER = "X-ProcessingUnits-Spent"
_LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"

Broken = Reset | Cut | BrokenChunk


@dataclass(frozen=True)
class Asked:
    """One call in the server's log.

    `number` counts the calls of its path from 1, `key` is the SHA-256 of the body that was asked with, `status` is
    None where the connection was reset before an answer, `fault` is the kind of the rule that took the call, and
    `units` are the processing units that it was charged.
    """

    path: PathName
    number: int
    key: str
    status: int | None
    fault: str | None
    units: float


@dataclass(frozen=True)
class Answer:
    """A status, a body with its media type, further headers, and what its way to the client does to it."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    broken: Broken | None = None
    units: float = 0.0


class Hub:
    """Safe from several threads.

    Parameters
    ----------
    log
        Every call is appended before its answer leaves.
    wait
        Waits for so many seconds, or shorter when the server stops: then it returns True.
    """

    def __init__(
        self,
        source: PixelSource,
        desk: TokenDesk,
        limits: Limits,
        *,
        book: FaultBook,
        account: Account,
        log: list[Asked],
        wait: Callable[[float], bool],
    ) -> None:
        self._source, self._desk, self._limits = source, desk, limits
        self._book, self._account, self._log, self._wait = book, account, log, wait
        # Rendering takes a core and memory: more requests at once than cores would only need more memory.
        self._renderers = threading.BoundedSemaphore(os.cpu_count() or 1)

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Answer:
        """The answer to a request, errors included."""
        try:
            name = _name(method, path)
        except ServiceError as error:
            return self._marked(_refusal(error))
        key = request_key(body)
        number, fault = self._book.next_call(name, key)
        answer = self._marked(self._disturbed(name, headers, body, key, fault))
        status = None if isinstance(answer.broken, Reset) else int(answer.status)
        self._log.append(Asked(name, number, key, status, fault.kind if fault else None, answer.units))
        return answer

    def _marked(self, answer: Answer) -> Answer:
        # Every answer says that it is not the service's own; one of made-up pixels says that too.
        headers = [(OFFLINE_HEADER, "simulated" if self._source.simulated else "folder")]
        if self._source.simulated:
            headers.append((SIMULATED_HEADER, "yes"))
        return replace(answer, headers=(*answer.headers, *headers))

    def _disturbed(self, name: PathName, headers: Any, body: bytes, key: str, fault: Fault | None) -> Answer:
        """The answer under `fault`. Only what was rendered and answered with 2xx is charged, whatever became of it on
        its way: the service cannot know that."""
        instead = _instead(name, fault)
        if instead is not None:
            return instead
        if isinstance(fault, RevokeTokens):
            self._desk.revoke_all()
        if isinstance(fault, Slow) and self._wait(fault.seconds):
            return Answer(0, b"", broken=Reset())
        try:
            answer = self._route(name, headers, body, key)
        except ServiceError as error:
            answer = _refusal(error)
        except RasterioError as error:  # a file of the source that could be read at the start
            answer = _refusal(_failure(error))
        return replace(
            answer, body=damaged(answer.body, fault), broken=fault if isinstance(fault, Cut | BrokenChunk) else None
        )

    def _route(self, name: PathName, headers: Any, body: bytes, key: str) -> Answer:
        authorization = headers.get("Authorization")
        if name == "token":
            status, content = self._desk.grant(body.decode("utf-8", "replace"), authorization)
            return _json(status, content)
        self._desk.check(authorization)
        self._account.admit(key)
        if name == "catalog":
            return _json(HTTPStatus.OK, search(self._source.items(), body))
        request = parse_request(body)
        with self._renderers:
            done = render(self._source, request, self._limits, archive=headers.get("Accept") == "application/tar")
        self._account.charge(key, done.processing_units)
        spent = ((UNITS_HEADER, repr(done.processing_units)),)
        return Answer(HTTPStatus.OK, done.body, done.content_type, spent, units=done.processing_units)


def _name(method: str, path: str) -> PathName:
    if path not in PATHS:
        raise ServiceError(HTTPStatus.NOT_FOUND, NOT_FOUND, f"{path} is not served by the offline service")
    if method != "POST":
        raise ServiceError(
            HTTPStatus.METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED, f"{method} {path} is not served; wanted POST"
        )
    return PATHS[path]


def _instead(name: PathName, fault: Fault | None) -> Answer | None:
    """The answer of a fault that asks nobody, or None."""
    match fault:
        case Status():
            return _faulty_status(name, fault)
        case Empty():
            return Answer(HTTPStatus.OK, b"")
        case Html():
            return Answer(HTTPStatus.OK, _LOGIN_PAGE, "text/html")
        case Body():
            return Answer(HTTPStatus.OK, fault.text.encode(), fault.content_type)
        case Reset():
            return Answer(0, b"", broken=fault)
    return None


def _faulty_status(name: PathName, fault: Status) -> Answer:
    retry = () if fault.retry_after is None else (("Retry-After", fault.retry_after),)
    if name != "token":
        return replace(_refusal(status_error(fault.status, fault.code, fault.message)), headers=retry)
    # The token address is another service, with OAuth's form for refusals and a gateway's page for the rest.
    if fault.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED):
        content = {
            "error": fault.code or "unauthorized_client",
            "error_description": fault.message or "Invalid client or Invalid client credentials",
        }
        return replace(_json(fault.status, content), headers=retry)
    text = fault.message or f"{fault.status} {HTTPStatus(fault.status).phrase}"
    return Answer(fault.status, text.encode(), "text/plain", retry)


def _refusal(error: ServiceError) -> Answer:
    return replace(_json(error.status, error.body()), headers=tuple(error.headers))


def _failure(error: Exception) -> ServiceError:
    """500 with an id; standard error says what it was, which is not for the client."""
    error_id = secrets.token_hex(4)
    sys.stderr.write(f"skred hub: error {error_id}: {error}\n")
    return status_error(
        500, message=f"Internal error of the offline service; its standard error has error id {error_id}"
    )


def _json(status: int, content: Any) -> Answer:
    return Answer(status, json.dumps(content).encode())
