"""Clones of the repository in temporary folders, made small, and the real commands run in them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CELLS = ("full-cart", "fusion-unet", "fusion-cart", "sar-cart", "fusion-cart-random")
EVENTS = {"develop": (1920, 50), "unseen": (1280, 15), "control": (960, 0)}  # metres a side, landslides
SMALL: dict[str, dict[str, Any]] = {
    "patch": {"window_px": 16, "stride_px": 16, "block_px": 48, "buffer_px": 8},
    "unet": {
        "depth": 2,
        "base_filters": 4,
        "crop_px": 16,
        "windows_per_epoch": 32,
        "batch": 8,
        "epochs": 4,
        "patience_epochs": 4,
        "predict_window_px": 96,
        "predict_margin_px": 16,
    },
    "cart": {"max_pixels": 20_000, "max_depth": 6, "min_leaf_pixels": 10},
}
_HIDDEN = (  # of a user's environment, and of the make that runs the tests
    *("DVC_", "GIT_", "KERAS_", "MLFLOW_", "PYTHON", "SH_", "SKRED_"),
    *("GNUMAKEFLAGS", "MAKE", "MFLAGS"),
)
MAKE = ("make", "--old-file=.venv/.ready")  # in the environment that is there instead of one of its own
_RUNNING = re.compile(r"Running stage '([^']+)'")


class Clone:
    """A checkout, and the commands run in it as a user would, with nothing shared but the installed packages.

    The environment's own `skred` may be another checkout's: `python -m skred.stages...` finds the right one by itself
    (that is under test), for the `skred` command it is set here.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
        self.environment |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Tester",
            "GIT_AUTHOR_EMAIL": "tester@localhost",
            "GIT_COMMITTER_NAME": "Tester",
            "GIT_COMMITTER_EMAIL": "tester@localhost",
            "CI": "true",  # DVC then looks for no newer version of itself
        }
        for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
            self.environment[name] = str(root.parent / f"{root.name}-{name.lower()}")

    def start(self, *command: str, folder: str = ".", **options: Any) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        return subprocess.Popen(command, cwd=self.root / folder, env=self.environment, text=True, **options)

    @contextlib.contextmanager
    def in_group(self, log: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
        """A running command in a process group of its own, its words in `log`; afterwards nothing of it is left.

        It hears Ctrl-C as in a terminal, also where the tests run in the background: shells make that deaf to it.
        """
        with log.open("w") as stream:
            hearing = ("env", "--default-signal=INT", *command)
            leader = self.start(*hearing, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield leader
        finally:
            with contextlib.suppress(ProcessLookupError):  # all ended
                os.killpg(leader.pid, signal.SIGKILL)
            leader.wait(60)

    def run(
        self, *command: str, folder: str = ".", code: int = 0, timeout_s: float = 300, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, which must have exit code `code`."""
        done = subprocess.run(
            command,
            cwd=self.root / folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def dvc(self, *arguments: str, **options: Any) -> str:
        """Standard output of a DVC command."""
        return self.run("dvc", *arguments, **options).stdout

    def dvc_json(self, *arguments: str, **options: Any) -> Any:
        return json.loads(self.dvc(*arguments, "--json", **options))

    def repro(self, *arguments: str, folder: str = ".", **environment: str) -> str:
        """All that `dvc repro` says."""
        done = self.run("dvc", "repro", *arguments, folder=folder, timeout_s=600, **environment)
        return done.stdout + done.stderr

    def skred(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """The command `skred` of this checkout."""
        return self.run("skred", *arguments, PYTHONPATH=str(self.root / "src"), **options)

    def make(self, *arguments: str, **options: Any) -> str:
        """A target of the Makefile."""
        return self.run(*MAKE, *arguments, PYTHONPATH=str(self.root / "src"), **options).stdout

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything that git does not ignore."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def json(self, name: str) -> Any:
        return json.loads(self.read(name))

    def edit(self, name: str, changes: Mapping[str, Any]) -> None:
        """Change values of a YAML file, nested ones by nested mappings."""
        file = self.root / name
        file.write_text(_yaml(_merged(yaml.safe_load(file.read_text(encoding="utf-8")), changes)), encoding="utf-8")

    def copy(self, root: Path) -> Clone:
        """A new clone of what is committed here."""
        return clone(self.root, root)


@dataclass(frozen=True)
class Reproduced:
    """A clone after `dvc repro`: what that said, and the lock that it wrote."""

    clone: Clone
    output: str
    lock: bytes


def clone(source: Path, root: Path) -> Clone:
    """A new checkout of what is committed in `source`."""
    made = Clone(root)
    git = shutil.which("git")
    assert git is not None, "these tests need git"
    command = [git, "clone", "--quiet", "--no-hardlinks", str(source), str(root)]
    subprocess.run(command, env=made.environment, check=True, timeout=120)
    return made


def shrink(made: Clone, folder: str = ".", *, cells: Iterable[str] = CELLS, **params: Mapping[str, Any]) -> None:
    """Keep only some cells of the pipeline in `folder`, make training and trees tiny, and forget what was run."""
    dvc_yaml, params_yaml = made.root / folder / "dvc.yaml", made.root / folder / "params.yaml"
    values = yaml.safe_load(params_yaml.read_text(encoding="utf-8"))
    gone = set(values["cells"]) - set(cells)
    values["cells"] = {cell: values["cells"][cell] for cell in cells}
    used = {cell["patches"] for cell in values["cells"].values()}
    values["patches"] = {name: patches for name, patches in values["patches"].items() if name in used}
    if "map" in values:
        values["map"]["cells"] = [cell for cell in values["map"]["cells"] if cell in values["cells"]]
    params_yaml.write_text(_yaml(_merged(_merged(values, SMALL), params)), encoding="utf-8")

    stages = yaml.safe_load(dvc_yaml.read_text(encoding="utf-8"))
    removed = {f"{place}/{cell}" for cell in gone for place in ("data/scores", "models", "data/maps")}
    for name in {"compare", "report"} & set(stages["stages"]):
        stage = stages["stages"][name]
        stage["cmd"] = " ".join(word for word in stage["cmd"].split() if word not in removed)
        stage["deps"] = [dep for dep in stage["deps"] if dep not in removed]
    dvc_yaml.write_text(_yaml(stages), encoding="utf-8")
    (made.root / folder / "dvc.lock").unlink(missing_ok=True)  # of the pipeline in its own size


def shrink_event(made: Clone, name: str, side_m: int, landslides: int | None = None) -> None:
    """Make an event small, with windows of images just long enough for two passes of each track."""
    changes: dict[str, Any] = {
        "area": {"width_m": side_m, "height_m": side_m},
        "pre": {"first": "2019-07-13", "last": "2019-07-29"},
        "post": {"first": "2019-08-01", "last": "2019-08-17"},
    }
    if landslides is not None:
        changes["simulation"] = {"landslides": landslides}
    made.edit(f"data/events/{name}.yaml", changes)


def small_clone(source: Path, root: Path) -> Clone:
    """A new checkout of `source` whose root pipeline takes a minute or two, committed."""
    made = clone(source, root)
    shrink(made)
    for name, (side_m, landslides) in EVENTS.items():
        shrink_event(made, name, side_m, landslides)
    made.edit("params.yaml", {"world": {"landslides": {"area_max_m2": 8000}}})  # larger ones find no place there
    made.commit("small")
    return made


def stages_run(output: str) -> list[str]:
    """The stages that a `dvc repro` ran, in order."""
    return _RUNNING.findall(output)


def outputs(lock: bytes) -> list[str]:
    """The paths of all outputs in a `dvc.lock`."""
    return [out["path"] for stage in yaml.safe_load(lock)["stages"].values() for out in stage["outs"]]


def wait_until(
    ready: Callable[[], bool], seconds: float, what: Callable[[], object], stop: Callable[[], bool] = lambda: False
) -> None:
    """Wait for `ready`, at most `seconds`; `what` says what there is instead, also when `stop` finds it hopeless."""
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until and not stop(), what()
        time.sleep(0.02)


def process_group(leader: int) -> dict[int, str]:
    """Command lines of the living processes of a process group."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(group) == leader and state != "Z":
                command = (folder / "cmdline").read_text(errors="replace")
                found[int(folder.name)] = command.replace("\0", " ").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended since
    return found


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, Mapping):
        return new
    return old | {name: _merged(old.get(name), value) for name, value in new.items()}


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=10_000, allow_unicode=True)
