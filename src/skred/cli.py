"""The `skred` command, for people. Heavy imports happen only inside the command that needs them."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer

from skred.core.errors import InputError, SkredError

app = typer.Typer(
    help="Find the landslides a storm left behind, from Sentinel-1 and Sentinel-2 images.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
event_app = typer.Typer(help="Event files: what happened, where, when.", no_args_is_help=True)
app.add_typer(event_app, name="event")


def main() -> None:
    """Entry point: a `SkredError` becomes one line on standard error and its exit code."""
    try:
        app()
    except SkredError as error:
        sys.stderr.write(f"skred: {error}\n")
        raise SystemExit(error.exit_code) from None


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

    scores = evaluate_by_path(model, scenes, probability)
    write_json(out, scores)
    shown = ", ".join(f"{name} {scores[name]}" for name in ("precision", "recall", "f1", "mcc", "iou", "auprc"))
    typer.echo(f"{out}: {shown}")


@app.command()
def compare(
    metrics: Annotated[Path, typer.Argument(help="JSON file of the compare stage")] = Path("metrics/compare.json"),
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="with 95 % intervals, to paste into a page")] = False,
) -> None:
    """Print the scores of all cells as a table, and what they say about the paper's sentences."""
    from skred.scores.table import markdown as as_markdown
    from skred.scores.table import read_comparison, read_verdicts

    typer.echo(as_markdown(read_comparison(metrics), intervals=markdown))
    for line in read_verdicts(metrics.with_name("differences.json")):
        typer.echo(f"\n{line}")


@app.command()
def check() -> None:
    """Read params.yaml and every event file, and say what is wrong with them."""
    from skred.checking import check_repository

    for line in check_repository(Path()):
        typer.echo(line)


@app.command()
def track() -> None:
    """Bring the MLflow store up to date with what DVC and git know."""
    from skred.tracking.sync import sync

    typer.echo(sync(Path()))


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
