"""Where water runs: every cell drains to one neighbour, pits are filled, and upslope areas add up."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skred.world.noise import Float


@dataclass(frozen=True)
class Drainage:
    """`receiver` (H, W) is the flat index of the cell that a cell drains to, itself at the border;
    `area_m2` (H, W) is all ground that drains through a cell, itself included."""

    receiver: NDArray[np.int64]
    area_m2: Float
    cell_m: float


def drain(height_m: Float, cell_m: float) -> Drainage:
    """Steepest descent over a surface (H, W) whose pits are filled (priority flood, Barnes et al. 2014)."""
    rows, cols = height_m.shape
    filled, parent = _flood(height_m)
    surface = filled.reshape(rows, cols)
    best = np.full((rows, cols), 1e-6)  # metres per metre; on flats follow the flood's way out
    receiver = parent.reshape(rows, cols).copy()
    index = np.arange(rows * cols).reshape(rows, cols)
    padded = np.pad(surface, 1, constant_values=np.inf)
    padded_index = np.pad(index, 1)
    for dr, dc in [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]:
        view = (slice(1 + dr, 1 + dr + rows), slice(1 + dc, 1 + dc + cols))
        fall = (surface - padded[view]) / np.hypot(dr, dc) / cell_m
        steeper = fall > best
        best = np.where(steeper, fall, best)
        receiver = np.where(steeper, padded_index[view], receiver)
    border = np.zeros((rows, cols), bool)
    border[[0, -1]] = border[:, [0, -1]] = True
    receiver = np.where(border, index, receiver)
    return Drainage(receiver, _accumulate(receiver, cell_m**2), cell_m)


def _flood(height_m: Float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    # Plain lists and one heap: at 20 m cells this takes a second per 100 km², and it needs no compiled dependency.
    rows, cols = height_m.shape
    stride = cols + 2
    level = np.pad(height_m.astype(np.float64), 1).ravel().tolist()
    closed_array = np.zeros((rows + 2, stride), bool)
    closed_array[[0, -1]] = closed_array[:, [0, -1]] = True
    seeds_array = np.zeros_like(closed_array)
    seeds_array[[1, -2], 1:-1] = True
    seeds_array[1:-1, [1, -2]] = True
    closed = (closed_array | seeds_array).ravel().tolist()
    parent = list(range(len(level)))
    heap = [(level[i], int(i)) for i in np.flatnonzero(seeds_array.ravel())]
    heapq.heapify(heap)
    steps = (-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1)
    pop, push = heapq.heappop, heapq.heappush
    while heap:
        here, i = pop(heap)
        for step in steps:
            j = i + step
            if not closed[j]:
                closed[j] = True
                parent[j] = i
                level[j] = max(level[j], here)
                push(heap, (level[j], j))
    inner = (slice(1, -1), slice(1, -1))
    up = np.array(parent).reshape(rows + 2, stride)[inner]
    flat = (up // stride - 1) * cols + (up % stride - 1)
    return np.array(level).reshape(rows + 2, stride)[inner].copy(), flat


def _accumulate(receiver: NDArray[np.int64], cell_m2: float) -> Float:
    to = receiver.ravel().tolist()
    waiting = np.bincount(receiver.ravel()[receiver.ravel() != np.arange(receiver.size)], minlength=receiver.size)
    givers = waiting.tolist()
    area = [cell_m2] * len(to)
    ready = np.flatnonzero(waiting == 0).tolist()
    while ready:
        i = ready.pop()
        j = to[i]
        if j == i:
            continue
        area[j] += area[i]
        givers[j] -= 1
        if givers[j] == 0:
            ready.append(j)
    return np.array(area, dtype=np.float32).reshape(receiver.shape)
