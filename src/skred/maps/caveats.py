"""What a map must say about its model, in words: what it learnt from, and that it misses landslides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def known_recall(scores: Mapping[str, Any]) -> dict[str, Any]:
    """From a model's ``scores.json``: the share of whole landslides that it found where it had not learnt, and where.

    Both are None without scores, and for a random split, whose neighbouring pixels flatter.
    """
    held_out = scores.get("held_out")
    section = scores if held_out is None else held_out
    share = section.get("objects", {}).get("recall")
    if share is None or scores.get("split") == "random":
        return {"recall": None, "recall_on": None}
    where = "test blocks" if held_out is None else "test blocks and unseen event together"
    return {"recall": share, "recall_on": where}


def learnt_from(summary: Mapping[str, Any]) -> str:
    """What the model learnt from; a caution where that was simulated and the map's pixels are real."""
    cell, event = summary["cell"], summary["trained_on"]
    if summary["trained_on_simulated"] and not summary["simulated"]:
        return (
            f"CAUTION: {cell} learnt from simulated landslides only (event {event}), and these images are real: "
            "none of its scores says how good this map is."
        )
    kind = "simulated landslides" if summary["trained_on_simulated"] else "landslides"
    return f"{cell} learnt from {kind} of the event {event}."


def misses(summary: Mapping[str, Any]) -> str:
    """That a missing polygon proves nothing where the ground was observable either, with the recall where known."""
    told = "The model misses landslides on observable ground too"
    if summary["recall"] is None:
        return f"{told}; how many was not measured."
    kind = ", simulated" if summary["trained_on_simulated"] else ""
    return f"{told}: it found {100 * summary['recall']:.0f} % of the known ones ({summary['recall_on']}{kind})."
