"""Is the body of an answer the whole image that was asked for? The client does not look."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile

from skred.acquire.blocks import check_blocks, check_tags
from skred.acquire.bodies import Product
from skred.core.grid import Grid

UNITS_HEADER = "x-processingunits-spent"


class BrokenAnswerError(ValueError):
    """An answer that is no whole image of what was asked for; asking again may help."""


def read_answer(content: bytes, product: Product, grid: Grid) -> NDArray[Any]:
    """The pixels of an answer, shape ``(bands, H, W)``, after checking all that can be checked.

    That is: a GeoTIFF with the size, bands, data type, CRS and place of the request, every block of which can be read,
    with values that the product can have.

    How much that reveals depends on the compression of the answer. Blocks of DEFLATE carry checksums; LZW and
    uncompressed blocks carry none, so a bit changed inside them gives other pixels that nothing here can tell from
    true ones. Of the mixture of broken answers in ``tests/unit/acquire/test_acquire_answers.py``
    (``test_the_share_of_broken_answers_that_pass``; cut ones, changed bits, blocks copied over others, zeros, lost
    bytes, other images) 0 % pass with other pixels with DEFLATE, 14 % with LZW, and 44 % without compression; none of
    those cut short does. Two DEFLATE blocks of equal length that change places pass always. The offline service
    answers with DEFLATE. What the real one answers with is not known here: we do not ask for a compression, and
    have no answer of it. There, https guards bytes on their way; what goes wrong before that is what is left.

    Raises
    ------
    BrokenAnswerError
        What is wrong with it, in one phrase.
    """
    if content[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        raise BrokenAnswerError(f"{len(content)} bytes that are no TIFF")
    try:
        with warnings.catch_warnings(), MemoryFile(content) as memory:
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with memory.open(driver="GTiff") as dataset:
                _check(dataset, product, grid)
                wrong = check_tags(content) or check_blocks(content, dataset)
                if wrong is not None:
                    raise BrokenAnswerError(f"a TIFF of which {wrong}")
                array: NDArray[Any] = dataset.read()
    except RasterioError as error:
        raise BrokenAnswerError(f"a TIFF that cannot be read ({' '.join(str(error).split())})") from error
    for name, band, lowest, highest in zip(product.names, array, product.lowest, product.highest, strict=True):
        if not ((band >= lowest) & (band <= highest) | np.isnan(band)).all():
            raise BrokenAnswerError(f"a TIFF with values of {name} that are not within {lowest:g} to {highest:g}")
    return array


def units_of(headers: dict[str, str]) -> float:
    """What an answer says that it cost, from its headers by lower-case name; 0 where it does not say."""
    text = headers.get(UNITS_HEADER, "0")
    try:
        units = float(text)
    except ValueError:
        units = -1.0
    if not 0 <= units < 1e6:
        raise BrokenAnswerError(f"{UNITS_HEADER}: got {text!r}, wanted a number of processing units")
    return units


def _check(dataset: Any, product: Product, grid: Grid) -> None:
    if (dataset.height, dataset.width) != grid.shape:
        raise BrokenAnswerError(f"{dataset.width} x {dataset.height} pixels, wanted {grid.width} x {grid.height}")
    if dataset.count != len(product.names):
        raise BrokenAnswerError(f"{dataset.count} bands, wanted {len(product.names)}")
    if any(dtype != product.dtype for dtype in dataset.dtypes):
        raise BrokenAnswerError(f"data type {dataset.dtypes[0]}, wanted {product.dtype}")
    code = dataset.crs.to_epsg() if dataset.crs is not None else None
    if f"EPSG:{code}" != grid.crs:
        raise BrokenAnswerError(f"CRS {code}, wanted {grid.crs}")
    found, wanted = dataset.transform, grid.transform
    if not (found.almost_equals(wanted, precision=1e-3) and abs(found.a - wanted.a) + abs(found.e - wanted.e) < 1e-7):
        raise BrokenAnswerError(f"corner and pixel {tuple(dataset.transform)[:6]}, wanted {tuple(grid.transform)[:6]}")
