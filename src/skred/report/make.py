"""The report: page, model cards and figures from what the pipeline has made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.composite.params import CompositeParams
from skred.core.errors import InputError
from skred.core.json_file import read_json
from skred.core.raster import atomic_folder
from skred.core.scenes import SceneFolder
from skred.detectors.model import read_card
from skred.patches.params import PatchParams
from skred.report import content
from skred.report.before import colours_before
from skred.report.cards import model_card
from skred.report.events import Sources, event_for_page
from skred.report.figures import draw_composites, draw_errors, draw_settings
from skred.report.page import Page, render
from skred.report.params import ReportParams
from skred.report.scores import Scored, charts, judged_on, read_cells
from skred.scores.verdicts import verdicts


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


Before = Mapping[str, NDArray[np.float32]]  # event -> reflectances (3, H, W)


def pictures_before(inputs: Inputs, composite: CompositeParams) -> Before:
    """The picture before the storm of every event with a download. Raises as `skred.composite.build.build`."""
    raws = {folder.name: folder for folder in inputs.raw}
    opened = {scenes.index.event: scenes for scenes in map(SceneFolder.open, inputs.scenes)}
    return {
        event: colours_before(raws[event], scenes.grid(scenes.names[0]), composite)
        for event, scenes in opened.items()
        if event in raws
    }


def make_page(inputs: Inputs, before: Before, params: ReportParams, patch: PatchParams, *, overlap_share: float) -> str:
    """The page as HTML; `overlap_share` is that of a known landslide that must be detected for it to count as found.

    Raises
    ------
    InputError
        An input is missing or not what it should be.
    SkredError
        The page would be too large, or Leaflet is not installed.
    """
    cells, cards = read_cells(inputs.scores), [read_card(folder) for folder in inputs.models]
    events: list[dict[str, Any]] = []
    pictures: dict[str, str] = {}
    for folder in inputs.scenes:
        scenes = SceneFolder.open(folder)
        event = scenes.index.event
        maps = {path.name: path / event for path in inputs.maps}
        one, its_pictures = event_for_page(Sources(scenes, before.get(event), maps), params, overlap_share)
        events.append(one)
        pictures |= {f"{event}-{name}": uri for name, uri in its_pictures.items()}
    drawn, absent = charts(cells, _share(overlap_share))
    data = {
        "events": events,
        "charts": {chart.key: chart.points for chart in drawn},
        "best_cell": _best_mapped(cells, inputs.maps),
    }
    comparison = read_json(inputs.comparison, "run the compare stage")
    differences = read_json(inputs.differences, "run the compare stage") if inputs.differences else {}
    told = [line["text"] for line in verdicts(differences)]
    text: dict[str, Any] = {
        "simulated": all(event["simulated"] for event in events),
        "kind": _kind([event["simulated"] for event in events]),
        "lead": content.lead(cells, events),
        "glance": content.glance(cells, differences),
        "events": content.event_rows(events),
        "pieces_note": content.pieces_note(events),
        "settings": content.setting_rows(cards),
        "overlap": _share(overlap_share),
        "verdicts": told,
        "differences": content.difference_rows(differences),
        "measured": differences.get("measured", {}),
        "confounders": content.confounder_table(cells),
        "scored_on": judged_on(cells[0].scores)[1],
        "table": content.score_table(cells, comparison),
        "has_intervals": content.has_intervals(cells),
        "charts": drawn,
        "absent": absent if told else [*absent, "the verdicts on the paper's sentences"],
        "trained_on": cards[0].trained_on,
        "block_km": f"{patch.block_px * events[0]['grid']['resolution_m'] / 1000:g} km",
    }
    return render(Page(text, data, pictures), params.max_mb)


def _kind(simulated: Sequence[bool]) -> str:
    return "simulated" if all(simulated) else "partly simulated" if any(simulated) else ""


def _best_mapped(cells: Sequence[Scored], maps: Sequence[Path]) -> str:
    """The mapped cell that is shown first: the one with the highest MCC."""
    mcc = {cell.scores["cell"]: judged_on(cell.scores)[0]["mcc"] or 0.0 for cell in cells}
    if not maps:
        raise InputError("report: no maps given; list at least one cell under map.cells")
    return max((path.name for path in maps), key=lambda name: mcc.get(name, 0.0))


def _share(value: float) -> str:
    return "a fifth" if abs(value - 0.2) < 1e-9 else f"{100 * value:g} %"


def write_cards(inputs: Inputs, out: Path) -> None:
    """Write ``<out>/<cell>.md`` for every model. Raises as `make_page`."""
    units = {path.name: _unit(path) for path in inputs.maps}
    scores = {folder.name: read_json(folder / "scores.json", "run the evaluate stage") for folder in inputs.scores}
    with atomic_folder(out) as building:
        for model in inputs.models:
            cell = read_card(model).cell
            if cell not in scores:
                raise InputError(f"report: no scores of {cell} given; add its folder to --scores")
            text = model_card(model, scores[cell], units.get(cell))
            (building / f"{cell}.md").write_text(text, encoding="utf-8")


def _unit(maps: Path) -> float:
    """The minimum mapping unit of a cell's maps: the same for all of its events."""
    folder = min(path for path in maps.iterdir() if path.is_dir())
    return float(read_json(folder / "summary.json", "run the map stage")[0]["min_area_m2"])


def write_figures(inputs: Inputs, before: Before, out: Path, params: ReportParams) -> None:
    """Write the figures of every event into `out`. Raises as `make_page`."""
    with atomic_folder(out) as building:
        for folder in inputs.scenes:
            scenes = SceneFolder.open(folder)
            event = scenes.index.event
            maps = {path.name: path / event for path in inputs.maps}
            draw_composites(building / f"{event}-composites.png", scenes, before.get(event), params.reflectance_max)
            draw_errors(building / f"{event}-errors.png", scenes, maps, params.reflectance_max)
            draw_settings(building / f"{event}-settings.png", scenes, maps)
