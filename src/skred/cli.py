"""The `skred` command, for people. Heavy imports happen only inside the command that needs them."""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skred.check_world.commands import world_app
from skred.core.errors import InputError, SkredError

if TYPE_CHECKING:
    from skred.hub.items import PixelSource

app = typer.Typer(
    help="Find the landslides a storm left behind, from Sentinel-1 and Sentinel-2 images.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
event_app = typer.Typer(help="Event files: what happened, where, when.", no_args_is_help=True)
app.add_typer(event_app, name="event")
app.add_typer(world_app, name="world")


def main() -> None:
    """Entry point: a `SkredError` becomes one line on standard error and its exit code."""
    try:
        app()
    except SkredError as error:
        sys.stderr.write(f"skred: {error}\n")
        raise SystemExit(error.exit_code) from None


def _event_file(name: str) -> Path:
    """The file of an event. Raises InputError with the events that there are."""
    file = Path("data/events") / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(other.stem for other in file.parent.glob("*.yaml"))) or "none is there"
        raise InputError(f"{file.parent}: no event {name!r}, wanted one of: {known}; `skred event add` makes one")
    return file


def _check_model(folder: Path) -> None:
    """Raises InputError with the models that there are: a misspelt name wants no training."""
    if not (folder / "model.json").is_file():
        known = ", ".join(sorted(str(card.parent) for card in folder.parent.glob("*/model.json")))
        there = f"wanted one of: {known}" if known else "nor any other there; `dvc pull` or `dvc repro` brings models"
        raise InputError(f"{folder}: no model, {there}")


@app.command("import")
def import_(
    table: Annotated[Path, typer.Argument(help="band table: which file and channel is which band")],
    source: Annotated[Path, typer.Argument(help="folder of images and masks")],
    out: Annotated[Path, typer.Argument(help="folder of scenes to make")],
) -> None:
    """Turn a folder of images and masks into a folder of scenes."""
    from skred.importing import import_scenes

    index = import_scenes(table, source, out)
    typer.echo(f"{out}: {len(index.scenes)} scenes, bands {', '.join(band.name for band in index.bands)}")


@app.command()
def predict(
    model: Annotated[Path, typer.Option(help="model folder")],
    scenes: Annotated[Path, typer.Option(help="folder of scenes")],
    out: Annotated[Path, typer.Option(help="folder of probability rasters to make")],
) -> None:
    """Give every pixel of every scene the probability of a landslide, with any trained model."""
    from skred.detectors.predict import predict_scenes

    if not out.exists():  # that it is there already is told first
        _check_model(model)
    names = predict_scenes(model, scenes, out)
    typer.echo(f"{out}: {len(names)} probability rasters")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Option(help="model folder; its threshold is used")],
    scenes: Annotated[Path, typer.Option(help="folder of scenes with labels")],
    probability: Annotated[Path, typer.Option(help="folder of probability rasters, made by `skred predict`")],
    out: Annotated[Path, typer.Option(help="JSON file to write")],
) -> None:
    """Score probability rasters against the labels of their scenes."""
    from skred.core.json_file import write_json
    from skred.scores.by_path import evaluate_by_path

    if out.is_dir():
        raise InputError(f"--out: {out} is a folder; name a JSON file")
    _check_model(model)
    scores = evaluate_by_path(model, scenes, probability)
    write_json(out, scores)
    if scores["scored_where_trained"]:
        typer.echo(f"note: the model was trained on {scores['trained_on']}: these scores flatter it", err=True)
    shown = ", ".join(
        f"{name} {'undefined' if scores[name] is None else scores[name]}"
        for name in ("precision", "recall", "f1", "mcc", "iou", "auprc")
    )
    typer.echo(f"{out}: {shown}; on {'simulated' if scores['simulated'] else 'real'} pixels")


@app.command()
def detect(
    event: Annotated[str, typer.Option(help="name of a file in data/events, made with `skred event add`")],
    model: Annotated[Path, typer.Option(help="model folder, such as models/full-unet")],
    out: Annotated[Path | None, typer.Option(help="folder to fill; default data/detections/EVENT/MODEL")] = None,
    params: Annotated[Path, typer.Option(help="parameters of download, composite and map")] = Path("params.yaml"),
    store: Annotated[Path, typer.Option(help="where fetched images are kept")] = Path("data/.store"),
    scores: Annotated[
        Path | None,
        typer.Option(help="the model's scores; default data/scores/MODEL of the model's checkout, if there"),
    ] = None,
) -> None:
    """Find the landslides of a new event with an existing model: download, composite, predict, map."""
    from skred.detect import detect as run

    home = model.resolve()  # models/NAME of a checkout: a model elsewhere is another one, though called the same
    beside = home.parent.parent / "data/scores" / home.name
    if scores is None and (beside / "scores.json").is_file():
        scores = beside
    file = _event_file(event)
    _check_model(model)
    out = out or Path("data/detections") / event / home.name
    found = run(file, model, out, params=params, store=store, scores=scores)
    for line in found.lines():
        typer.echo(line)


@app.command()
def compare(
    metrics: Annotated[Path, typer.Argument(help="JSON file of the compare stage")] = Path("metrics/compare.json"),
    *,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="all columns with 95 % intervals, to paste into a page")
    ] = False,
) -> None:
    """Print the scores of all cells as a table, and what they say about the paper's sentences."""
    from skred.scores.table import markdown as as_markdown
    from skred.scores.table import plain, read_comparison, read_verdicts

    table = read_comparison(metrics)
    said = read_verdicts(metrics.with_name("differences.json"))
    typer.echo("\n\n".join([as_markdown(table) if markdown else plain(table), *said]))


@app.command()
def plan(
    event: Annotated[str, typer.Argument(help="name of an event in data/events, or a path to an event file")],
    params: Annotated[Path, typer.Option(help="parameters: section download, for simulated events also world")] = Path(
        "params.yaml"
    ),
    store: Annotated[Path, typer.Option(help="where fetched images are kept")] = Path("data/.store"),
) -> None:
    """Say what the download of an event would ask for and cost, before anything is spent.

    A real event needs the account's credentials for that: the catalogue tells which images there are.
    """
    from skred.acquire.opening import image_service
    from skred.acquire.params import DownloadParams
    from skred.acquire.plan import check_budget, make_plan, table
    from skred.acquire.service import service_from
    from skred.acquire.store import Store
    from skred.core.events import read_event
    from skred.core.params import read_section

    file = Path(event) if event.endswith((".yaml", ".yml")) else _event_file(event)
    read, section = read_event(file), read_section(params, "download", DownloadParams)
    if read.source == "sentinelhub":
        try:
            service_from(os.environ)
        except InputError as error:
            why = "`skred plan` spends nothing, but asks the service's catalogue which images there are"
            raise InputError(f"{error}; {why}") from None
    with image_service(file, read, params, section) as service:
        planned = make_plan(read, service, section, Store(store))
    for line in table(planned, section):
        typer.echo(line)
    check_budget(planned, section)


@app.command()
def check(
    params: Annotated[Path | None, typer.Option(help="this file of parameters alone; otherwise all files")] = None,
) -> None:
    """Read params.yaml and every event file, and say everything that is wrong with them."""
    from skred.checking import check_repository

    fine, mistakes = check_repository(Path(), params)
    for file in fine:
        typer.echo(f"{file}: fine")
    for mistake in mistakes[:-1]:
        typer.echo(f"skred: {mistake}", err=True)
    if mistakes:
        raise InputError(mistakes[-1])


@app.command()
def track() -> None:
    """Bring the MLflow store up to date with what DVC and git know."""
    from skred.tracking.sync import sync

    typer.echo(sync(Path()))


@app.command()
def hub(
    event: Annotated[str | None, typer.Option(help="serve the simulated pixels of data/events/EVENT.yaml")] = None,
    folder: Annotated[Path | None, typer.Option(help="serve a folder of COGs with STAC items")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 takes a free one")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="the settings as one line of JSON")] = False,
    faults: Annotated[Path | None, typer.Option(help="YAML or JSON file of fault rules")] = None,
    requests_per_minute: Annotated[float | None, typer.Option(min=0.001, help="more are answered 429")] = None,
    units_per_minute: Annotated[float | None, typer.Option(min=0.001, help="processing units; 429 beyond")] = None,
    requests_per_month: Annotated[float | None, typer.Option(min=0.001, help="in all; 403 beyond")] = None,
    units_per_month: Annotated[float | None, typer.Option(min=0.001, help="processing units in all; 403")] = None,
    token_seconds: Annotated[float, typer.Option(min=0.001, help="how long a token is good")] = 600.0,
    verbose: Annotated[bool, typer.Option(help="one line per request on standard error")] = False,
) -> None:
    """Serve an offline Sentinel Hub on this machine until stopped, for any `sentinelhub` program."""
    from skred.hub.faults import read_rules
    from skred.hub.limits import RateLimits
    from skred.hub.standalone import serve_until_stopped

    if (event is None) == (folder is None):
        raise InputError("hub: wanted one of --event NAME and --folder DIR")
    rules = () if faults is None else read_rules(faults)
    rates = RateLimits(
        requests_per_minute=requests_per_minute,
        units_per_minute=units_per_minute,
        requests_per_month=requests_per_month,
        units_per_month=units_per_month,
    )
    if folder is not None:
        from skred.hub.folder import read_folder

        source: PixelSource = read_folder(folder)
    else:
        from skred.hub.simulated import simulated_source

        source = simulated_source(_event_file(str(event)), Path("params.yaml"))
    serve_until_stopped(
        source,
        as_json=as_json,
        port=port,
        faults=rules,
        rates=rates,
        token_seconds=token_seconds,
        verbose=verbose,
    )


@event_app.command("add")
def event_add(
    name: Annotated[str, typer.Argument(help="lower-case name of the event, such as hans-2023")],
    date: Annotated[str, typer.Option(help="day of the storm, UTC, such as 2023-08-08")],
    lon: Annotated[float, typer.Option(help="longitude of the centre, degrees")],
    lat: Annotated[float, typer.Option(help="latitude of the centre, degrees")],
    title: Annotated[str, typer.Option(help="one line about the event")],
    source: Annotated[str, typer.Option(help="simulated or sentinelhub")] = "sentinelhub",
    role: Annotated[str, typer.Option(help="unseen, control or develop")] = "unseen",
    size_km: Annotated[float, typer.Option(help="length of a side of the area, km")] = 20.0,
    window_days: Annotated[int, typer.Option(help="days of images before and after")] = 30,
    seed: Annotated[int, typer.Option(help="of a simulated place")] = 1,
    landslides: Annotated[int, typer.Option(help="that a simulated storm triggers")] = 50,
) -> None:
    """Write data/events/NAME.yaml and print the lines that dvc.yaml and params.yaml need."""
    from skred.event_files import new_event, pipeline_lines, write_event

    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        raise InputError(f"--date: got {date!r}, wanted a day such as 2023-08-08") from None
    event = new_event(
        name=name,
        title=title,
        role=role,
        source=source,
        date=day,
        center_lonlat=(lon, lat),
        size_m=1000 * size_km,
        window_days=window_days,
        simulation={"seed": seed, "landslides": 0 if role == "control" else landslides},
    )
    path = write_event(Path("data/events"), event)
    typer.echo(f"{path} written.\n\n{pipeline_lines(event)}")
