"""The files of an answer: georeferenced TIFFs, PNGs, and a TAR of several files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import Any

import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.io import MemoryFile

SUFFIXES = {"image/tiff": "tif", "image/png": "png", "application/json": "json"}
PNG_TYPES = ("uint8", "uint16")
PNG_BANDS = range(1, 5)  # grey or colour, each with or without an alpha channel


def tiff(array: NDArray[Any], crs: str | None, transform: Affine, *, nodata: float | None, simulated: bool) -> bytes:
    """A GeoTIFF of an array of shape ``(bands, H, W)``; simulated pixels say so in the tag ``simulated=yes``."""
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=array.shape[0],
            height=array.shape[1],
            width=array.shape[2],
            dtype=array.dtype.name,
            crs=crs,
            transform=transform,
            nodata=nodata,
            compress="DEFLATE",
            zlevel=1,  # it travels over the loopback only: time counts, not bytes
            interleave="pixel",  # as at the service; the client decodes with tifffile, which shows the file's own axes
        ) as dataset:
            dataset.write(array)
            if simulated:
                dataset.update_tags(simulated="yes")
        return bytes(memory.getbuffer())


def png(array: NDArray[Any], transform: Affine, *, simulated: bool) -> bytes:
    """A PNG of an array of shape ``(bands, H, W)``, uint8 or uint16; simulated pixels say so in a text chunk."""
    # A PNG does not say where it lies; without PAM, GDAL writes no second file that would.
    with rasterio.Env(GDAL_PAM_ENABLED=False), MemoryFile() as memory:
        with memory.open(
            driver="PNG",
            count=array.shape[0],
            height=array.shape[1],
            width=array.shape[2],
            dtype=array.dtype.name,
            transform=transform,
            zlevel=1,
            **({"comment": "simulated=yes"} if simulated else {}),
        ) as dataset:
            dataset.write(array)
        return bytes(memory.getbuffer())


def tar(files: Mapping[str, bytes]) -> bytes:
    """An uncompressed TAR archive, without clocks or owners."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
