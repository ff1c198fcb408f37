"""`skred world`, for people. Heavy imports happen only inside the command that needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skred.core.errors import InputError

world_app = typer.Typer(help="The simulated landscape.", no_args_is_help=True)


@world_app.command("check")
def world_check(
    seeds: Annotated[list[int], typer.Option(help="seeds of the places to measure, such as 11 12 13 14 15")],
    more: Annotated[list[int] | None, typer.Argument(hidden=True)] = None,
    event: Annotated[Path, typer.Option(help="event file: area, dates and number of landslides")] = Path(
        "data/events/develop.yaml"
    ),
    params: Annotated[Path, typer.Option(help="parameters")] = Path("params.yaml"),
    real: Annotated[Path, typer.Option(help="real Sentinel-1 series for (g); committed numbers if not there")] = Path(
        "data/external/s1-rtc-series"
    ),
    outcomes: Annotated[
        bool, typer.Option("--outcomes", help="also train five U-Nets and five trees a seed: takes minutes each seed")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="JSON file to write, anew after each seed")] = None,
) -> None:
    """Measure simulated places against what a simulation must show, and print the table."""
    from skred.check_world.check import Checked, Setup, check_seeds, null_spread_to_meet
    from skred.check_world.outcomes import COMPARED, SETTINGS, Recipes
    from skred.check_world.table import as_json, markdown
    from skred.composite.params import CompositeParams
    from skred.core.events import read_event
    from skred.core.json_file import write_json
    from skred.core.params import read_section
    from skred.detectors.base import params_model
    from skred.detectors.cells import Setting
    from skred.patches.params import PatchParams
    from skred.world.params import WorldParams

    recipes = None
    if outcomes:
        bands = read_section(params, "settings", dict[str, Setting])
        if missing := [name for name in SETTINGS if name not in bands]:
            raise InputError(f"{params}: section settings lacks {', '.join(missing)}, which --outcomes trains on")
        recipes = Recipes(
            read_section(params, "patch", PatchParams),
            {name: bands[name] for name in SETTINGS},
            {name: read_section(params, name, params_model(name)) for name in COMPARED},
        )
    setup = Setup(
        read_section(params, "world", WorldParams),
        read_section(params, "composite", CompositeParams),
        read_event(event),
        null_spread_to_meet(real),
        recipes,
    )
    checked: list[Checked] = []
    try:
        for one in check_seeds(setup, [*seeds, *(more or [])], lambda line: typer.echo(line, err=True)):
            checked.append(one)
            if json is not None:
                write_json(json, as_json(checked))
    finally:  # what was measured is shown, whatever happened to a later seed
        if checked:
            typer.echo(markdown(checked))


@world_app.command("draw")
def world_draw(
    event: Annotated[Path, typer.Option(help="event file of a simulated place")] = Path("data/events/develop.yaml"),
    params: Annotated[Path, typer.Option(help="parameters")] = Path("params.yaml"),
    real: Annotated[Path | None, typer.Option(help="real Sentinel-1 series to draw statistics of")] = None,
    out: Annotated[Path, typer.Option(help="folder of PNG files")] = Path("docs"),
) -> None:
    """Draw a simulated place: ground, looks, passes, composites, and what changed."""
    from skred.check_world.composites import composite_world
    from skred.check_world.figures import draw_all
    from skred.check_world.real_figure import draw_real
    from skred.composite.params import CompositeParams
    from skred.core.events import read_event
    from skred.core.params import read_section
    from skred.world.params import WorldParams
    from skred.world.world import build_world

    section, what = read_section(params, "world", WorldParams), read_event(event)
    world = build_world(section, what)
    drawn = draw_all(world, composite_world(world, read_section(params, "composite", CompositeParams)), out)
    if real is not None:
        drawn.append(draw_real(section, what, real, out))
    for path in drawn:
        typer.echo(path)
