"""An answer on its way: whole, or broken as only the raw connection can break it."""

from __future__ import annotations

import socket
import struct
from http.server import BaseHTTPRequestHandler

from skred.hub.faults import BrokenChunk, Cut, Reset
from skred.hub.service import Answer


def deliver(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Send `answer` on the handler's connection; a broken one ends the connection."""
    broken = answer.broken
    if isinstance(broken, Reset):
        _reset(handler)
        return
    handler.send_response(answer.status)
    for name, value in (("Content-Type", answer.content_type), *answer.headers):
        handler.send_header(name, value)
    if isinstance(broken, BrokenChunk):
        handler.send_header("Transfer-Encoding", "chunked")
    else:
        handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    if broken is None:
        handler.wfile.write(answer.body)
        return
    sent = answer.body[: int(len(answer.body) * broken.part)]
    if isinstance(broken, Cut):
        handler.wfile.write(sent)
    else:
        # The chunk's head promises the whole body.
        handler.wfile.write(f"{len(answer.body):x}\r\n".encode() + sent)
    handler.close_connection = True


def _reset(handler: BaseHTTPRequestHandler) -> None:
    # SO_LINGER with a time of 0: the system sends RST instead of FIN. Closed here, before the server's own
    # shutdown(), which would send FIN first; the reader goes before, because it keeps the connection open.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.rfile.close()
    handler.connection.close()
    handler.close_connection = True
