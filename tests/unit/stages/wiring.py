"""What a pipeline says (its stages, resolved by DVC's own code) against what its code does (read, not run).

`problems` compares the two; a new way to load code or to read parameters must be taught to `imports` or `sections`.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from dvc.parsing import DataResolver
from dvc.repo import Repo

ROOT = Path(__file__).resolve().parents[3]
SRC = ROOT / "src"

# (stage module, prefix of project modules) that need be no dep, with the reason.
EXEMPT = {
    ("train", "skred.tracking"): "it only watches: no output depends on it",
}
# Stages that load a detector by its name. The others import skred.detectors.base for its types, and read model.json.
LOADS_A_DETECTOR = ("train", "predict", "importance")
# Code of pixels that are simulated: a dep of downloads of simulated events only. Where the event is real, an import of
# it inside a function does not count, because that function is not called; one at the top of a module does.
SIMULATION = ("skred.hub", "skred.world", "skred.acquire.simulated", "skred.acquire.truth")
NEEDS_LOCK = ("composite", "patch", "train", "predict", "import_scenes", "importance")
NEEDS_NO_LOCK = ("download",)


@dataclass(frozen=True)
class Stage:
    """One stage with everything resolved; paths are relative to the root of the repository."""

    name: str
    module: str  # such as "train"
    arguments: Mapping[str, str]
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    params: tuple[str, ...]
    data: dict[str, Any] = field(hash=False)  # params.yaml of its pipeline
    detector: str | None
    source: str | None  # of the event, for downloads


def stages(pipeline: Path, root: Path) -> list[Stage]:
    """The stages of the folder `pipeline`, which lies in `root`."""
    resolver = DataResolver(Repo(root_dir=str(root), uninitialized=True), str(pipeline), _yaml(pipeline / "dvc.yaml"))
    data = _yaml(pipeline / "params.yaml")
    here = PurePosixPath(pipeline.relative_to(root).as_posix())
    return [_stage(name, entry, data, here) for name, entry in resolver.resolve()["stages"].items()]


def _yaml(path: Path) -> Any:
    # the C loader is as safe as safe_load and several times as fast
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _stage(name: str, entry: Mapping[str, Any], data: dict[str, Any], here: PurePosixPath) -> Stage:
    module = re.search(r"-m skred\.stages\.(\w+)", entry["cmd"])
    assert module is not None, f"{name}: runs {entry['cmd']!r}, wanted python -m skred.stages.<stage>"
    arguments = {key: value.strip() for key, value in re.findall(r"--([\w-]+) (.*?)(?= --|$)", entry["cmd"])}
    named = [out for key in ("outs", "metrics", "plots") for out in entry.get(key, [])]
    outs = [next(iter(out)) if isinstance(out, dict) else out for out in named]
    cell = data.get("cells", {}).get(name.partition("@")[2], {})
    return Stage(
        name=name,
        module=module[1],
        arguments=arguments,
        deps=tuple(_below(here, dep) for dep in entry.get("deps", [])),
        outs=tuple(_below(here, out) for out in outs),
        params=tuple(entry.get("params", [])),
        data=data,
        detector=arguments.get("detector", cell.get("detector")) if module[1] in LOADS_A_DETECTOR else None,
        source=_source(arguments, here),
    )


def _source(arguments: Mapping[str, str], here: PurePosixPath) -> str | None:
    return None if "event" not in arguments else str(_yaml(ROOT / here / arguments["event"])["source"])


def _below(here: PurePosixPath, path: str) -> str:
    parts: list[str] = []
    for part in (here / path).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def file_of(module: str) -> Path | None:
    """The file of a project module, of a package its `__init__.py`."""
    path = SRC.joinpath(*module.split("."))
    return next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()), None)


def all_modules() -> dict[str, Path]:
    """Every project module with its file."""
    found = {}
    for file in sorted((SRC / "skred").rglob("*.py")):
        parts = file.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def _nodes(tree: ast.AST, *, top_only: bool = False) -> Iterator[ast.AST]:
    """All nodes that can run: not those under ``if TYPE_CHECKING:``; `top_only` leaves out the bodies of functions."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        if top_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield from _nodes(child, top_only=top_only)


@functools.cache
def _parsed(file: Path) -> ast.AST:
    return ast.parse(file.read_text(encoding="utf-8"))


@functools.cache
def imports(file: Path, *, top_only: bool = False) -> frozenset[str]:
    """Project modules that a file imports, anywhere in it, or starts as a child; ``*`` stands for a detector's name."""
    found: set[str] = set()
    for node in _nodes(_parsed(file), top_only=top_only):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found.add(str(node.module))
            found |= {f"{node.module}.{a.name}" for a in node.names if file_of(f"{node.module}.{a.name}")}
        elif isinstance(node, ast.JoinedStr):  # importlib.import_module(f"skred.detectors.{name}.detector")
            found.add("".join(str(v.value) if isinstance(v, ast.Constant) else "*" for v in node.values))
        elif isinstance(node, ast.List | ast.Tuple):  # [sys.executable, "-m", "skred.hub", ...]
            words = [v.value if isinstance(v, ast.Constant) else None for v in node.elts]
            started = [word for flag, word in itertools.pairwise(words) if flag == "-m" and word]
            found |= {str(word) for word in started} | {f"{word}.__main__" for word in started}
    ours = [name for name in found if re.fullmatch(r"skred(\.[\w*]+)+", name)]
    return frozenset(name for name in ours if "*" in name or file_of(name))


def reached(stage: Stage) -> frozenset[str]:
    """Project modules that a stage may run, its own included, exempt ones left out."""
    return reached_by(stage.module, stage.detector, stage.source)


@functools.cache
def reached_by(module: str, detector: str | None, source: str | None) -> frozenset[str]:
    exempt = tuple(prefix for (exempt, prefix) in EXEMPT if exempt == module)
    seen: set[str] = set()
    todo = [f"skred.stages.{module}"]
    while todo:
        name = todo.pop()
        if "*" in name:
            package = None if detector is None else name.replace("*", detector).rpartition(".")[0]
            todo += [] if package is None else [m for m in all_modules() if m == package or m.startswith(f"{package}.")]
        elif name not in seen and not within(name, exempt):
            seen.add(name)
            file = file_of(name)
            assert file is not None
            lazily = imports(file) - imports(file, top_only=True)
            not_called = {n for n in lazily if source != "simulated" and within(n, SIMULATION)}
            todo += imports(file) - not_called
    return frozenset(seen)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def sections(stage: Stage) -> frozenset[str]:
    """Keys of params.yaml that the reachable code of a stage reads."""
    return frozenset(key for name in reached(stage) for key in _keys(file_of(name), stage.arguments))


def _keys(file: Path | None, arguments: Mapping[str, str]) -> Iterator[str]:
    assert file is not None
    for node in _nodes(_parsed(file)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "read_section" and len(node.args) > 1:
            yield _text(node.args[1], arguments, file)
        elif re.fullmatch(r"read_yaml\(.*\)\.get", called):
            yield _text(node.args[0], arguments, file)


def _text(node: ast.expr, arguments: Mapping[str, str], file: Path) -> str:
    """The value of a string that is written out or made from command-line arguments."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, arguments, file) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, arguments, file)
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("args", "arguments"):
        return arguments[node.attr.replace("_", "-")]
    raise AssertionError(f"{file.name}: cannot tell which section {ast.unparse(node)} is; write it out")


def problems(pipeline: Path, root: Path) -> list[str]:
    """What is wrong with the wiring of one pipeline, a line each."""
    every = stages(pipeline, root)
    outs = {out for stage in every for out in stage.outs}
    return [line for stage in every for line in _problems(stage, outs)]


def _problems(stage: Stage, outs: set[str]) -> Iterator[str]:
    modules = reached(stage)
    files = {name: f"src/{file.relative_to(SRC).as_posix()}" for name, file in all_modules().items() if name in modules}
    files = {name: file for name, file in files.items() if not file.endswith("__init__.py")}  # all empty
    for name, file in sorted(files.items()):
        if not any(_covers(dep, file) for dep in stage.deps):
            yield f"{stage.name}: runs {name}, but {file} is none of its deps"
    for dep in stage.deps:
        if dep.startswith("src/") and not any(_covers(dep, file) for file in files.values()):
            yield f"{stage.name}: dep {dep} is nothing that it runs"
        if any(out.startswith(f"{dep}/") for out in outs):
            yield f"{stage.name}: dep {dep} is a parent folder of outs"
    yield from _wrong_sections(stage)
    locked = "requirements.txt" in stage.deps
    if locked != (stage.module in NEEDS_LOCK) and stage.module in NEEDS_LOCK + NEEDS_NO_LOCK:
        yield f"{stage.name}: requirements.txt {'must be no dep' if locked else 'is none of its deps'}"


def _wrong_sections(stage: Stage) -> Iterator[str]:
    read = sections(stage)
    for key in sorted(set(stage.params) - read):
        yield f"{stage.name}: declares params {key}, but does not read it"
    for key in sorted(read - set(stage.params)):
        yield f"{stage.name}: reads params {key}, but does not declare it"
    for key in stage.params:
        value: Any = stage.data
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            yield f"{stage.name}: params {key} is not in params.yaml"


def _covers(dep: str, file: str) -> bool:
    return file == dep or file.startswith(f"{dep}/")
