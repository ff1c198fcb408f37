"""Arrays to the pictures of the page: WebP for true colour, palette PNG where the value must stay readable."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skred.report.palettes import Palette


def true_colour(rgb: NDArray[np.float32], white: float) -> NDArray[np.uint8]:
    """Reflectances ``(3, H, W)`` to colours ``(H, W, 4)``: `white` and above is full, gamma 1.6, NaN transparent."""
    stack = np.moveaxis(rgb, 0, -1)
    known = np.isfinite(stack).all(axis=-1)
    bright = np.clip(np.nan_to_num(stack) / white, 0, 1) ** (1 / 1.6)
    alpha = np.where(known, 255, 0)[..., None]
    return np.concatenate([np.round(bright * 255), alpha], axis=-1).astype(np.uint8)


def relief(elevation: NDArray[Any], resolution_m: float) -> NDArray[np.uint8]:
    """Shaded relief ``(H, W)``, lit from the north-west at 45° (Horn 1981), as maps are by custom; NaN black."""
    south, east = np.gradient(np.nan_to_num(elevation.astype(np.float64)), resolution_m)
    sun = np.array([-0.5, 0.5, np.sqrt(0.5)])  # towards the light: east, north, up
    normal = np.stack([-east, south, np.ones_like(east)])
    shade = np.tensordot(sun, normal, 1) / np.linalg.norm(normal, axis=0)
    grey = np.clip(0.15 + 0.85 * shade, 0, 1)
    return np.where(np.isfinite(elevation), np.round(grey * 255), 0).astype(np.uint8)


def webp(pixels: NDArray[np.uint8], quality: int) -> str:
    """A picture ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` as a data URI."""
    return _uri(Image.fromarray(pixels), "image/webp", format="WEBP", quality=quality, method=4)


def palette_png(values: NDArray[np.float32], palette: Palette, levels: int) -> str:
    """A data layer as a palette PNG data URI: step k of `levels` has palette entry k, unknown is transparent."""
    return coded_png(palette.codes(values, levels), np.vstack([palette.rgb(levels), [[0, 0, 0]]]), clear=levels)


def coded_png(codes: NDArray[np.uint8], rgb: NDArray[Any], clear: int) -> str:
    """Codes ``(H, W)`` with their colours ``(n, 3)`` as a palette PNG data URI; code `clear` is transparent."""
    image = Image.fromarray(codes, mode="P")
    image.putpalette(np.asarray(rgb, np.uint8).tobytes())
    return _uri(image, "image/png", format="PNG", transparency=clear, optimize=True)


def _uri(image: Image.Image, kind: str, **options: Any) -> str:
    with io.BytesIO() as file:
        image.save(file, **options)
        return f"data:{kind};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
