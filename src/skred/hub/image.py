"""The files of an answer: georeferenced TIFFs, and a TAR of several."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from rasterio.io import MemoryFile

from skred.core.grid import Grid


def tiff(array: NDArray[Any], grid: Grid, *, nodata: float | None, simulated: bool) -> bytes:
    """A GeoTIFF of an array of shape ``(bands, H, W)``; simulated pixels say so in the tag ``simulated=yes``."""
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=array.shape[0],
            height=grid.height,
            width=grid.width,
            dtype=array.dtype.name,
            crs=grid.crs,
            transform=grid.transform,
            nodata=nodata,
            compress="DEFLATE",
            zlevel=1,  # it travels over the loopback only: time counts, not bytes
            interleave="pixel",  # as at the service; the client decodes with tifffile, which shows the file's own axes
        ) as dataset:
            dataset.write(array)
            if simulated:
                dataset.update_tags(simulated="yes")
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
