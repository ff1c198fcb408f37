"""The offline Sentinel Hub over HTTP: on the loopback interface, for the life of a ``with`` block."""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from skred.core.errors import SkredError
from skred.hub.delivery import deliver
from skred.hub.errors import ServiceError, refuse
from skred.hub.faults import FaultBook, FaultRule
from skred.hub.items import PixelSource
from skred.hub.limits import Account, RateLimits
from skred.hub.render import Limits
from skred.hub.service import TOKEN_PATH, Answer, Asked, Hub
from skred.hub.tokens import TokenDesk

HOST = "127.0.0.1"
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
    crs: str  # of the source's grid, such as EPSG:32632
    grid_bbox: tuple[float, float, float, float]  # the same box in metres of `crs`
    size: tuple[int, int]  # its width and height in pixels


@contextmanager
def serve(
    source: PixelSource,
    *,
    port: int = 0,
    limits: Limits | None = None,
    token_seconds: float = 600.0,
    clock: Callable[[], float] = time.monotonic,
    rates: RateLimits | None = None,
    faults: Sequence[FaultRule] = (),
    log: list[Asked] | None = None,
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
        How long a token is good, and the clock for it and for `rates`.
    rates
        What the account may ask for; without it there is no limit.
    faults
        Which calls are answered wrongly, and how.
    log
        A list to which every call is appended, in the order of the answers.
    verbose
        One line per request on standard error.

    Raises
    ------
    SkredError
        The port is taken, or not for us.
    """
    client_id, client_secret = "skred-offline", secrets.token_urlsafe(16)
    stopped = threading.Event()
    hub = Hub(
        source,
        TokenDesk(client_id, client_secret, token_seconds, clock),
        limits or Limits(),
        book=FaultBook(faults),
        account=Account(rates or RateLimits(), clock),
        log=[] if log is None else log,
        wait=stopped.wait,
    )
    try:
        server = _Server((HOST, port), _handler(hub, verbose=verbose))
    except OSError as error:
        raise SkredError(
            f"port {port} of {HOST}: cannot be used ({error.strerror}); choose another one, or 0 for a free one"
        ) from error
    base = f"http://{HOST}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield _settings(source, base, client_id, client_secret)
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _settings(source: PixelSource, base: str, client_id: str, client_secret: str) -> HubSettings:
    grid, days = source.grid, sorted(item.time.date().isoformat() for item in source.items())
    return HubSettings(
        base_url=base,
        token_url=base + TOKEN_PATH,
        client_id=client_id,
        client_secret=client_secret,
        bbox=grid.bounds_lonlat(),
        time_interval=(days[0], days[-1]) if days else ("", ""),
        crs=str(grid.crs),
        grid_bbox=grid.bounds,
        size=(grid.width, grid.height),
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # an idle connection must not keep the process alive
    request_queue_size = 128  # with the default of 5, clients that come together wait a second for their second try

    def server_bind(self) -> None:
        # Without the look-up of a host name in HTTPServer's own: it may wait for a name server, and nobody needs it.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

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
                answer = Answer(error.status, json.dumps(error.body()).encode())
            deliver(self, answer)

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
