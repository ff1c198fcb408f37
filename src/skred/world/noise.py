"""Noise that is a function of its place and its key, so that any window renders alone.

Three kinds. `fractal` and `correlated` fill a whole area once, from a seeded generator, by filtering white noise in
the frequency domain; per acquisition they are made on coarse nodes and brought to a window with `from_nodes`.
`normals` is noise per pixel: a hash of (row, column, key), the same for a pixel in whatever window it is asked for.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from skred.core.grid import Window

Float = NDArray[np.float32]
TWO_PI = np.float32(2 * np.pi)


def seed_of(*parts: object) -> int:
    """A 64-bit seed that depends on every part and on nothing else (not on Python's own string hash)."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def generator(*parts: object) -> np.random.Generator:
    """A generator seeded by `seed_of`."""
    return np.random.default_rng(seed_of(*parts))


def _white_to_field(rng: np.random.Generator, shape: tuple[int, int], amplitude: Float) -> Float:
    white = rng.standard_normal(shape, dtype=np.float32)
    field = fft.irfft2(fft.rfft2(white) * amplitude, s=shape)
    spread = float(field.std())
    return np.asarray((field - field.mean()) / (spread if spread > 0 else 1.0), dtype=np.float32)


def _frequency(shape: tuple[int, int], pixel_m: float) -> Float:
    rows = np.fft.fftfreq(shape[0], pixel_m)[:, None]
    cols = np.fft.rfftfreq(shape[1], pixel_m)[None, :]
    return np.asarray(np.hypot(rows, cols), dtype=np.float32)


def _room(shape: tuple[int, int], margin: int) -> tuple[int, int]:
    # A field made by Fourier transform repeats at its far edge: make it larger than wanted and cut it out.
    rows, cols = (int(fft.next_fast_len(length + margin, real=True)) for length in shape)
    return rows, cols


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], *, pixel_m: float, longest_m: float, exponent: float
) -> Float:
    """Fractal noise of mean 0 and standard deviation 1, flat in spectrum beyond `longest_m`.

    `exponent` is the fall of the amplitude spectrum with frequency: 1.5 is rough, 2.2 is smooth country.
    """
    room = _room(shape, round(longest_m / pixel_m / 2))
    frequency = _frequency(room, pixel_m)
    amplitude = (1.0 + (frequency * longest_m) ** 2) ** (-exponent / 2)
    return _white_to_field(rng, room, amplitude.astype(np.float32))[: shape[0], : shape[1]].copy()


def correlated(rng: np.random.Generator, shape: tuple[int, int], *, pixel_m: float, scale_m: float) -> Float:
    """Gaussian noise of mean 0 and standard deviation 1 whose blobs are about `scale_m` across.

    The autocorrelation falls to 1/e at a distance of ``scale_m / 2``.
    """
    room = _room(shape, round(scale_m / pixel_m))
    sigma_m = scale_m / 4
    amplitude = np.exp(-2 * (np.pi * sigma_m * _frequency(room, pixel_m)) ** 2)
    # Normalised by its expectation, not by its own spread: an area smaller than a blob must be able to be uniform.
    power = amplitude.astype(np.float64) ** 2
    weight = np.full(power.shape[1], 2.0)
    weight[0] = 1.0
    if room[1] % 2 == 0:
        weight[-1] = 1.0
    spread = np.sqrt((power * weight).sum() / (room[0] * room[1]))
    field = fft.irfft2(fft.rfft2(rng.standard_normal(room, dtype=np.float32)) * (amplitude / spread), s=room)
    return np.asarray(field[: shape[0], : shape[1]], dtype=np.float32).copy()


def from_nodes(nodes: Float, step_px: float, offset_px: tuple[float, float], window: Window) -> Float:
    """Bring a coarse field to the pixels of a window by linear interpolation.

    Node (i, j) lies at pixel ``(i * step_px - offset_px[0], j * step_px - offset_px[1])``.
    """
    rows, row_share = _between(window.row, window.height, step_px, offset_px[0], nodes.shape[0])
    cols, col_share = _between(window.col, window.width, step_px, offset_px[1], nodes.shape[1])
    upper, lower = nodes[rows], nodes[rows + 1]
    strip = upper + (lower - upper) * row_share[:, None]
    left, right = strip[:, cols], strip[:, cols + 1]
    return np.asarray(left + (right - left) * col_share[None, :], dtype=np.float32)


def _between(start: int, length: int, step: float, offset: float, nodes: int) -> tuple[NDArray[np.intp], Float]:
    position = np.clip((np.arange(start, start + length) + offset) / step, 0, nodes - 1.000001)
    first = np.minimum(position.astype(np.intp), nodes - 2)
    return first, (position - first).astype(np.float32)


def _mix(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    # "lowbias32" of C. Wellons: a bijection of 32-bit integers with almost no bias between input and output bits.
    value ^= value >> np.uint32(16)
    value *= np.uint32(0x7FEB352D)
    value ^= value >> np.uint32(15)
    value *= np.uint32(0x846CA68B)
    value ^= value >> np.uint32(16)
    return value


def uniforms(window: Window, key: int) -> Float:
    """Uniform noise in (0, 1) per pixel: a hash of (row, column, key), shape ``(H, W)``."""
    low, high = np.uint32(key & 0xFFFFFFFF), np.uint32((key >> 32) & 0xFFFFFFFF)
    rows = _mix(np.arange(window.row, window.row + window.height).astype(np.int32).view(np.uint32) ^ low)
    cols = _mix(np.arange(window.col, window.col + window.width).astype(np.int32).view(np.uint32) ^ high)
    bits = _mix(rows[:, None] + _mix(cols * np.uint32(0x9E3779B1))[None, :])
    return ((bits >> np.uint32(8)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-24)


def normals(window: Window, key: int) -> tuple[Float, Float]:
    """Two independent fields of standard normal noise per pixel (Box and Muller), each of shape ``(H, W)``."""
    radius = np.sqrt(np.float32(-2) * np.log(uniforms(window, key)))
    angle = TWO_PI * uniforms(window, seed_of(key, "angle"))
    return radius * np.cos(angle), radius * np.sin(angle)


def grow(window: Window, halo: int) -> Window:
    """`window` with `halo` more pixels on every side; it may reach outside the grid."""
    return Window(window.row - halo, window.col - halo, window.height + 2 * halo, window.width + 2 * halo)


def crop(array: NDArray[Any], window: Window) -> NDArray[Any]:
    """`array` (H, W) in a window that may reach outside: there the edge pixel goes on. Contiguous in memory, so that
    arithmetic takes the same path, and gives the same bits, for every window."""
    height, width = array.shape
    inside = min(window.row, window.col) >= 0
    if inside and window.row + window.height <= height and window.col + window.width <= width:
        return np.ascontiguousarray(array[window.slices])
    rows = np.clip(np.arange(window.row, window.row + window.height), 0, height - 1)
    cols = np.clip(np.arange(window.col, window.col + window.width), 0, width - 1)
    return np.ascontiguousarray(array[np.ix_(rows, cols)])
