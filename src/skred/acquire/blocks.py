"""The parts of a TIFF that GDAL lets pass although they are broken: blocks with a wrong checksum, tags cut off."""

from __future__ import annotations

import itertools
import struct
import zlib
from typing import Any

import numpy as np

# Bytes of one value by type of field (TIFF 6.0 section 2; 13 and 16 to 18 of its supplements and of BigTIFF).
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def check_tags(content: bytes) -> str | None:
    """What is wrong with the directory of a TIFF's first image; None if all its values lie within the file.

    GDAL passes over a tag that is cut off, and so over the end of a cut file.
    """
    order = "<" if content[:2] == b"II" else ">"
    # A BigTIFF has wider numbers and the offset of its directory further on.
    big = content[2:4] in (b"+\0", b"\0+")
    start, head, entry, inline = (8, "Q", "HHQ8x", 8) if big else (4, "H", "HHI4x", 4)
    offset_form = "Q" if big else "I"
    try:
        (directory,) = struct.unpack_from(order + offset_form, content, start)
        (count,) = struct.unpack_from(order + head, content, directory)
        first, size = directory + struct.calcsize(order + head), struct.calcsize(order + entry)
        for number in range(count):
            place = first + number * size
            tag, kind, values = struct.unpack_from(order + entry, content, place)
            length = _TYPE_BYTES.get(kind, 1) * values
            (offset,) = struct.unpack_from(order + offset_form, content, place + size - inline)
            if length > inline and offset + length > len(content):
                return f"tag {tag} ends behind the end of the file"
    except struct.error:
        return "the directory is cut off"
    return None


def check_blocks(content: bytes, dataset: Any) -> str | None:
    """What is wrong with the blocks of `dataset`, an open rasterio dataset of the bytes `content`; None if nothing.

    Every block must lie within the file and overlap no other. Without compression each must have its full
    length; those of DEFLATE must unpack to it with the right checksum (Adler-32, RFC 1950): of single flipped bits
    inside such blocks GDAL lets 4 to 11 % pass, and gives other pixels.
    """
    separate = str(dataset.interleaving.value).upper() == "BAND" if dataset.interleaving is not None else False
    plain = dataset.compression is None
    deflate = not plain and dataset.compression.value.upper() == "DEFLATE"
    samples = 1 if separate else dataset.count
    item = np.dtype(dataset.dtypes[0]).itemsize
    block_height, block_width = dataset.block_shapes[0]
    tiled = block_width != dataset.width or bool(dataset.profile.get("tiled"))
    spans: list[tuple[int, int]] = []
    for band in range(1, dataset.count + 1 if separate else 2):
        for (row, col), window in dataset.block_windows(band):
            offset = dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band)
            size = dataset.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=band)
            if offset is None or size is None:
                return f"block {row}, {col} is missing"
            start, end = int(offset), int(offset) + int(size)
            if end > len(content):
                return f"block {row}, {col} ends behind the end of the file"
            spans.append((start, end))
            # a strip at the lower edge is shorter, a tile never is
            height, width = (block_height, block_width) if tiled else (window.height, window.width)
            length = height * width * samples * item
            if deflate and not _unpacks(content[start:end], length):
                return f"block {row}, {col} does not unpack"
            if plain and end - start != length:
                return f"block {row}, {col} has {end - start} bytes, wanted {length}"
    spans.sort()
    if any(before[1] > after[0] for before, after in itertools.pairwise(spans)):
        return "two blocks overlap"
    return None


def _unpacks(packed: bytes, length: int) -> bool:
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(packed, length + 1)
    except zlib.error:
        return False
    return len(data) == length and stream.eof and not stream.unused_data
