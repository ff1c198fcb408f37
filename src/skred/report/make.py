"""The report: page, model cards and figures from what the pipeline has made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skred.composite.params import CompositeParams
from skred.core.errors import InputError
from skred.core.json_file import read_json
from skred.core.scenes import SceneFolder
from skred.detectors.model import ModelCard, read_card
from skred.patches.params import PatchParams
from skred.report import content
from skred.report.events import Sources, event_for_page
from skred.report.page import Page, render
from skred.report.params import ReportParams
from skred.report.scores import Scored, charts, read_cells


@dataclass(frozen=True)
class Inputs:
    """Folders and files that the report is made from."""

    scenes: Sequence[Path]
    raw: Sequence[Path]
    maps: Sequence[Path]  # one per mapped cell, with a folder per event
    scores: Sequence[Path]
    models: Sequence[Path]
    comparison: Path
    differences: Path | None


def make_page(inputs: Inputs, params: ReportParams, composite: CompositeParams, patch: PatchParams) -> str:
    """The page as HTML.

    Raises
    ------
    InputError
        An input is missing or not what it should be.
    SkredError
        The page would be too large, or Leaflet is not installed.
    """
    cells, cards = read_cells(inputs.scores), [read_card(folder) for folder in inputs.models]
    raws = {folder.name: folder for folder in inputs.raw}
    events, pictures = [], {}
    for folder in inputs.scenes:
        scenes = SceneFolder.open(folder)
        event = scenes.index.event
        maps = {path.name: path / event for path in inputs.maps}
        one, its_pictures = event_for_page(Sources(scenes, raws.get(event), maps), params, composite)
        events.append(one)
        pictures |= {f"{event}-{name}": uri for name, uri in its_pictures.items()}
    drawn, absent = charts(cells)
    data = {
        "events": events,
        "charts": {chart.key: chart.points for chart in drawn},
        "best_cell": _best_mapped(cells, inputs.maps),
    }
    comparison = read_json(inputs.comparison, "run the compare stage")
    verdicts = _verdicts(inputs.differences)
    text: dict[str, Any] = {
        "simulated": any(event["simulated"] for event in events),
        "lead": content.lead(cells, events),
        "glance": content.glance(cells),
        "events": content.event_rows(events),
        "settings": content.setting_rows(cards),
        "overlap": _share(params.overlap_share),
        "verdicts": verdicts,
        "table": content.score_table(cells, comparison),
        "has_intervals": content.has_intervals(cells),
        "charts": drawn,
        "absent": absent if verdicts else [*absent, "the verdicts on the paper's sentences"],
        "trained_on": cards[0].trained_on,
        "block_km": f"{patch.block_px * events[0]['grid']['resolution_m'] / 1000:g} km",
    }
    return render(Page(text, data, pictures), params.max_mb)


def _verdicts(differences: Path | None) -> list[str]:
    if differences is None:
        return []
    recorded: Mapping[str, Any] = read_json(differences, "run the compare stage")
    return list(recorded.get("verdicts", {}).values())


def _best_mapped(cells: Sequence[Scored], maps: Sequence[Path]) -> str:
    """The mapped cell that is shown first: the one with the highest F1 on the test blocks."""
    f1 = {cell.scores["cell"]: cell.scores["f1"] or 0.0 for cell in cells}
    if not maps:
        raise InputError("report: no maps given; list at least one cell under map.cells")
    return max((path.name for path in maps), key=lambda name: f1.get(name, 0.0))


def _share(value: float) -> str:
    return "a fifth" if abs(value - 0.2) < 1e-9 else f"{100 * value:g} %"


def cards_by_cell(models: Sequence[Path]) -> dict[str, ModelCard]:
    """The model cards by name of the cell."""
    return {card.cell: card for card in map(read_card, models)}
