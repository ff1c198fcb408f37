"""The offline Sentinel Hub over HTTP: on the loopback interface, for the life of a ``with`` block."""

from __future__ import annotations

import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from skred.hub.catalog import search
from skred.hub.errors import METHOD_NOT_ALLOWED, NOT_FOUND, ServiceError, refuse
from skred.hub.items import PixelSource
from skred.hub.payload import read_json
from skred.hub.render import Limits, render
from skred.hub.request import parse_request
from skred.hub.tokens import TokenDesk

HOST = "127.0.0.1"
TOKEN_PATH = "/token"  # noqa: S105
PROCESS_PATHS = ("/api/v1/process", "/process/v1")
SEARCH_PATHS = ("/api/v1/catalog/1.0.0/search", "/catalog/v1/search")
SIMULATED_HEADER = "X-Skred-Simulated"
UNITS_HEADER = "X-ProcessingUnits-Spent"
MAX_BODY_BYTES = 10 * 2**20


@dataclass(frozen=True)
class HubSettings:
    """What a `sentinelhub` client needs to talk to the server."""

    base_url: str
    token_url: str
    client_id: str
    client_secret: str
    bbox: tuple[float, float, float, float]  # west, south, east, north of the source's grid, WGS84 degrees
    time_interval: tuple[str, str]  # ISO dates of the first and last item


@dataclass(frozen=True)
class Answer:
    """A status, a body with its media type, and further headers."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Hub:
    """The service without its transport: a path, headers and a body in, an answer out. Safe from several threads."""

    def __init__(self, source: PixelSource, desk: TokenDesk, limits: Limits) -> None:
        self._source, self._desk, self._limits = source, desk, limits
        # Rendering takes a core and memory: more requests at once than cores would only need more memory.
        self._renderers = threading.BoundedSemaphore(os.cpu_count() or 1)

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Answer:
        """The answer to a request, errors included."""
        try:
            return self._marked(self._route(method, path, headers, body))
        except ServiceError as error:
            return self._marked(_json(error.status, error.body()))

    def _marked(self, answer: Answer) -> Answer:
        if not self._source.simulated:
            return answer
        return Answer(answer.status, answer.body, answer.content_type, (*answer.headers, (SIMULATED_HEADER, "yes")))

    def _route(self, method: str, path: str, headers: Any, body: bytes) -> Answer:
        known = path == TOKEN_PATH or path in PROCESS_PATHS or path in SEARCH_PATHS
        if not known:
            raise ServiceError(HTTPStatus.NOT_FOUND, NOT_FOUND, f"{path} is not served by the offline service")
        if method != "POST":
            raise ServiceError(
                HTTPStatus.METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED, f"{method} {path} is not served; wanted POST"
            )
        authorization = headers.get("Authorization")
        if path == TOKEN_PATH:
            status, content = self._desk.grant(body.decode("utf-8", "replace"), authorization)
            return _json(status, content)
        self._desk.check(authorization)
        data = read_json(body)
        if path in SEARCH_PATHS:
            return _json(HTTPStatus.OK, search(self._source.items(), data))
        request = parse_request(data)
        with self._renderers:
            done = render(self._source, request, self._limits, archive=headers.get("Accept") == "application/tar")
        return Answer(HTTPStatus.OK, done.body, done.content_type, ((UNITS_HEADER, repr(done.processing_units)),))


def _json(status: int, content: Any) -> Answer:
    return Answer(status, json.dumps(content).encode())


@contextmanager
def serve(
    source: PixelSource,
    *,
    port: int = 0,
    limits: Limits | None = None,
    token_seconds: float = 600.0,
    clock: Callable[[], float] = time.monotonic,
    verbose: bool = False,
) -> Iterator[HubSettings]:
    """Serve `source` on 127.0.0.1 while the block runs.

    Parameters
    ----------
    port
        0 takes a free one.
    limits
        Time and memory of one script.
    token_seconds, clock
        How long a token is good, and the clock for it.
    verbose
        One line per request on standard error.
    """
    client_id, client_secret = "skred-offline", secrets.token_urlsafe(16)
    hub = Hub(source, TokenDesk(client_id, client_secret, token_seconds, clock), limits or Limits())
    server = _Server((HOST, port), _handler(hub, verbose=verbose))
    base = f"http://{HOST}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    times = [item.time for item in source.items()]
    span = (min(times).date().isoformat(), max(times).date().isoformat()) if times else ("", "")
    try:
        yield HubSettings(base, base + TOKEN_PATH, client_id, client_secret, source.grid.bounds_lonlat(), span)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # an idle connection must not keep the process alive

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away while it is answered is no news; anything else is a bug and shows its traceback.
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _handler(hub: Hub, *, verbose: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "skred-hub"
        timeout = 60  # seconds that a silent connection may stay open
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            try:
                answer = hub.answer(self.command, self.path.partition("?")[0], self.headers, self._body())
            except ServiceError as error:
                self.close_connection = True  # the body was not read
                answer = _json(error.status, error.body())
            self.send_response(answer.status)
            for name, value in (("Content-Type", answer.content_type), *answer.headers):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def _body(self) -> bytes:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
                refuse("body", f"Content-Length {length!r}, wanted at most {MAX_BODY_BYTES} bytes")
            return self.rfile.read(int(length))

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            if verbose:
                sys.stderr.write(f"{format % args}\n")

    return Handler
