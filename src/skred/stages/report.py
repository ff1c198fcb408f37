"""Stage: everything that was made -> one page to look at, a card per model, figures for papers."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.composite.params import CompositeParams
from skred.core.params import read_section
from skred.core.raster import atomic
from skred.patches.params import PatchParams
from skred.report.make import Inputs, make_page, pictures_before, write_cards, write_figures
from skred.report.params import ReportParams
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True, help="report, composite, patch, scores are read")
    parser.add_argument("--scenes", type=Path, nargs="+", required=True, help="folders of scenes, in the page's order")
    parser.add_argument("--raw", type=Path, nargs="*", default=[], help="folders of the download: the picture before")
    parser.add_argument("--maps", type=Path, nargs="+", required=True, help="folders of maps, one per cell")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="folders of scores, one per cell")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="model folders, one per cell")
    parser.add_argument("--comparison", type=Path, required=True, help="JSON file of the compare stage")
    parser.add_argument("--differences", type=Path, help="JSON file of the compare stage: the verdicts rest on it")
    parser.add_argument("--page", type=Path, required=True, help="HTML file to write")
    parser.add_argument("--cards", type=Path, required=True, help="folder of model cards to make")
    parser.add_argument("--figures", type=Path, required=True, help="folder of figures to make")
    args = parser.parse_args()

    inputs = Inputs(args.scenes, args.raw, args.maps, args.scores, args.models, args.comparison, args.differences)
    params = read_section(args.params, "report", ReportParams)
    before = pictures_before(inputs, read_section(args.params, "composite", CompositeParams))
    patch = read_section(args.params, "patch", PatchParams)
    share = read_section(args.params, "scores.overlap_share", float)
    html = make_page(inputs, before, params, patch, overlap_share=share)
    write_cards(inputs, args.cards)
    write_figures(inputs, before, args.figures, params)
    with atomic(args.page) as temporary:
        temporary.write_text(html, encoding="utf-8")


if __name__ == "__main__":
    run(main)
