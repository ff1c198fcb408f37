"""Bodies that arrive wrong although HTTP finds nothing wrong with them."""

from __future__ import annotations

import rasterio
from rasterio.io import MemoryFile

from skred.hub.faults import Corrupt, CutTags, Fault, Short

_XOR = 0x5A


def damaged(body: bytes, fault: Fault | None) -> bytes:
    """`body` as `fault` leaves it; faults of other kinds leave it whole."""
    if isinstance(fault, Short):
        return body[: _position(body, fault.part)]
    if isinstance(fault, Corrupt):
        start = _position(body, fault.part)
        end = min(start + fault.length, len(body))
        return body[:start] + bytes(byte ^ _XOR for byte in body[start:end]) + body[end:]
    if isinstance(fault, CutTags) and body[:2] in (b"II", b"MM"):
        return cut_tags(body, fault.length)
    return body


def _position(body: bytes, part: float) -> int:
    # The last byte at most: a "damaged" body that is whole would prove nothing.
    return min(int(len(body) * part), max(len(body) - 1, 0))


def cut_tags(tiff: bytes, length: int) -> bytes:
    """The pixels of `tiff` uncompressed, the directory of tags behind them, and the last `length` bytes cut off."""
    with MemoryFile(tiff) as old, old.open() as source, MemoryFile() as new:
        with new.open(**{**source.profile, "driver": "GTiff", "compress": None}) as dataset:
            dataset.write(source.read())
        # GDAL writes a directory that has outgrown its place at the end of the file.
        with rasterio.open(new.name, "r+") as dataset:
            dataset.update_tags(**source.tags(), filling="x" * 400)
        whole = bytes(new.getbuffer())
    return whole[:-length]
