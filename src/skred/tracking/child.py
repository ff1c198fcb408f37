"""The child process of a training: reads what happens, line by line, and records it in MLflow.

MLflow and its database take some seconds of computing to import and to begin a run. A training that ends well sooner
than `PATIENCE_S`, or than the environment's ``SKRED_LIVE_AFTER_S``, is left to `skred track`, which records it with all
others in one process. One of a ``dvc exp`` is always recorded, because its ``dvc.lock`` may be gone before anyone
looks.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import IO

from skred.core.errors import SkredError
from skred.tracking.key import live_entry, run_key
from skred.tracking.live import warn
from skred.tracking.records import git_tags, hash_tags, parameters
from skred.tracking.store import CELL, FAILED, FINISHED, RUNNING, Store, prepare, store_errors

PATIENCE_S = 20.0


def record(cell: str, folder: Path, addressing: str, root: Path, lines: Iterable[bytes]) -> None:
    """Record one training.

    Parameters
    ----------
    cell
        What is trained.
    folder
        Where the stage runs, in the checkout whose inputs make the key.
    addressing
        ``DVC_STAGE``.
    root
        The checkout that holds the store: ``DVC_ROOT``, which in a temporary experiment is not that of `folder`.
    lines
        JSON, one message a line: ``step``, ``tags`` and ``values``, ``end``. Without an ``end`` the run has failed.
    """
    entry = live_entry(folder, addressing)
    key = run_key(entry)
    store = Store.open(root)
    experiment = store.experiment(experiment_name(folder))
    runs = store.runs(experiment, key)
    run = (runs[0] if runs else store.create(experiment, cell, key)).info.run_id
    store.client.update_run(run, status=RUNNING)
    status = FAILED
    try:
        store.log_text(run, parameters(entry), {CELL: cell, **git_tags(folder), **hash_tags(entry)})
        for line in lines:
            message = json.loads(line)
            if "step" in message:
                store.log_rows(run, [tuple(message["step"])])
            if "values" in message:
                store.log_text(run, {}, message["tags"])
                store.log_values(run, message["values"])
            status = message.get("end", status)
    finally:
        store.client.set_terminated(run, status)


def experiment_name(folder: Path) -> str:
    """``skred`` for the pipeline at the root of a checkout, ``skred/<name>`` for one in ``experiments/<name>``."""
    return "skred" if (folder / ".dvc").is_dir() else f"skred/{folder.name}"


def early_lines(stream: IO[bytes], seconds: float) -> list[bytes]:
    """The lines of an unbuffered `stream` up to its end, its ``end`` message, or until `seconds` have passed."""
    lines: list[bytes] = []
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and select.select([stream], [], [], left)[0]:
        line = stream.readline()
        if line:
            lines.append(line)
        if not line or "end" in json.loads(line):
            break
    return lines


def patience_s() -> float:
    """How long a training may take before it is recorded while it goes on."""
    wanted = os.environ.get("SKRED_LIVE_AFTER_S", str(PATIENCE_S))
    try:
        return float(wanted)
    except ValueError:
        warn(f"SKRED_LIVE_AFTER_S: got {wanted!r}, wanted seconds; taken as {PATIENCE_S:g}")
        return PATIENCE_S


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the training; the end of the lines then ends us
    stream = open(0, "rb", buffering=0)  # noqa: SIM115  # standard input, for as long as we live
    early = early_lines(stream, patience_s())
    well = bool(early) and json.loads(early[-1]).get("end") == FINISHED
    if well and "DVC_EXP_NAME" not in os.environ:
        return
    prepare()
    from dvc.exceptions import DvcException  # noqa: PLC0415  # slow, as all of DVC and MLflow

    folder = Path.cwd()
    root = Path(os.environ.get("DVC_ROOT", folder))
    try:
        record(sys.argv[1], folder, os.environ["DVC_STAGE"], root, chain(early, stream))
    except (SkredError, DvcException, *store_errors()) as error:
        warn(error)


if __name__ == "__main__":
    main()
