"""Every stage names what it runs on: its code, its parameters, its requirements, and nothing else."""

import functools
import re
import shutil

import pytest
import wiring

PIPELINES = [wiring.ROOT, *sorted(file.parent for file in wiring.ROOT.glob("experiments/*/dvc.yaml"))]


@pytest.mark.parametrize("pipeline", PIPELINES, ids=[folder.name for folder in PIPELINES])
def test_a_stage_names_the_code_and_the_parameters_that_it_uses_and_no_others(pipeline):
    assert wiring.problems(pipeline, wiring.ROOT) == []


def _doctored(tmp_path, *changes):
    """Problems of the root pipeline that it has only after `changes`, pairs of (pattern, replacement)."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(wiring.ROOT / name, tmp_path)
    text = (tmp_path / "dvc.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        before, text = text, re.sub(old, new, text, count=1, flags=re.DOTALL)
        assert text != before, f"dvc.yaml has no {old}"
    (tmp_path / "dvc.yaml").write_text(text, encoding="utf-8")
    return [line for line in wiring.problems(tmp_path, tmp_path) if line not in _before()]


@functools.cache
def _before():
    return wiring.problems(wiring.ROOT, wiring.ROOT)


def test_a_missing_module_is_named_with_its_stage(tmp_path):
    found = _doctored(tmp_path, (r"(  evaluate:.*?)        - \$\{src\}/core\n", r"\1"))
    assert "evaluate@sar-cart: runs skred.core.grid, but src/skred/core/grid.py is none of its deps" in found
    assert all(line.startswith("evaluate@") for line in found)


def test_a_missing_detector_folder_is_named_though_it_is_loaded_by_name(tmp_path):
    found = _doctored(tmp_path, (r"(  predict:.*?)        - \$\{src\}/detectors/\$\{item.detector\}\n", r"\1"))
    assert any(line.startswith("predict@sar-unet: runs skred.detectors.unet.detector,") for line in found)
    assert any(line.startswith("predict@sar-cart: runs skred.detectors.cart.detector,") for line in found)
    assert not any("sar-unet" in line and ".cart." in line for line in found)


def test_a_simulated_download_needs_the_world_and_the_hub(tmp_path):
    found = _doctored(tmp_path, (r"        - \$\{src\}/world\n", ""))
    assert any(line.startswith("download@unseen: runs skred.world.terrain,") for line in found)


def test_every_other_kind_of_mistake_is_found(tmp_path):
    found = _doctored(
        tmp_path,
        (r"(  download:.*?      deps:\n)", r"\1        - requirements.txt\n"),
        (r"(  composite:.*?)        - composite\n", r"\1        - composites\n"),
        (r"(  patch:.*?)        - patch\n", r"\1        - cart\n"),
        (r"(  patch:.*?      deps:\n)", r"\1        - ${src}/coding.py\n"),
        (r"(  train:.*?)settings\.\$\{item\.setting\}", r"\1settings"),
        (r"(  train:.*?)        - requirements.txt\n", r"\1"),
        (r"(  train:.*?)- data/composites/develop\n", r"\1- data/composites\n"),
    )
    for problem in (
        "download@develop: requirements.txt must be no dep",
        "composite@develop: params composites is not in params.yaml",
        "composite@develop: declares params composites, but does not read it",
        "composite@develop: reads params composite, but does not declare it",
        "patch@develop: declares params cart, but does not read it",
        "patch@develop: reads params patch, but does not declare it",
        "patch@develop: dep src/skred/coding.py is nothing that it runs",
        "train@sar-cart: reads params settings.sar, but does not declare it",
        "train@sar-cart: requirements.txt is none of its deps",
        "train@sar-cart: dep data/composites is a parent folder of outs",
    ):
        assert problem in found


@pytest.mark.parametrize(("where", "reached"), [("inside a function", False), ("at the top", True)])
def test_a_real_download_may_import_the_world_inside_a_function_only(tmp_path, monkeypatch, where, reached):
    line = "from skred.world.world import build_world\n"
    stage = tmp_path / "download.py"
    stage.write_text("def simulated():\n    " + line if where == "inside a function" else line, encoding="utf-8")
    real = wiring.file_of
    monkeypatch.setattr(wiring, "file_of", lambda name: stage if name == "skred.stages.download" else real(name))
    modules = wiring.reached_by.__wrapped__("download", None, "sentinelhub")
    assert ("skred.world.world" in modules) == reached
    assert "skred.world.world" in wiring.reached_by.__wrapped__("download", None, "simulated")


def test_every_exemption_is_used_and_gives_its_reason():
    for (stage, prefix), reason in wiring.EXEMPT.items():
        direct = wiring.imports(wiring.file_of(f"skred.stages.{stage}"))
        assert any(name.startswith(prefix) for name in direct), f"{stage} does not use {prefix}: remove the exemption"
        assert reason


def test_no_init_file_has_content():
    assert [str(file) for file in (wiring.SRC / "skred").rglob("__init__.py") if file.read_text().strip()] == []


LEARNING = ("skred.composite", "skred.patches", "skred.detectors", "skred.scores")
# A process of its own, which begins and ends like a stage; and the command that starts stages as DVC does.
STARTS = ("skred.hub.__main__", "skred.detect")
TIES_WORLD_TO_HUB = ("skred.hub.simulated", "skred.hub.__main__")


def _who_imports(package, *, allowed=()):
    """Lines such as ``skred.a imports skred.b`` for imports of `package` from outside of it."""
    return [
        f"{name} imports {found}"
        for name, file in wiring.all_modules().items()
        if not wiring.within(name, (package, *allowed))
        for found in sorted(wiring.imports(file))
        if wiring.within(found, (package,))
    ]


def _imported_by(text):
    """Modules of ours with a line that imports another library."""
    line = re.compile(rf"^\s*(from|import) {text}\b", re.MULTILINE)
    return {name for name, file in wiring.all_modules().items() if line.search(file.read_text(encoding="utf-8"))}


def test_nothing_uses_the_stages():
    assert _who_imports("skred.stages", allowed=STARTS) == []


@pytest.mark.parametrize("upper", ["skred.hub", "skred.acquire", "skred.cli", *LEARNING])
def test_the_world_knows_nothing_of_service_or_learning(upper):
    assert not [line for line in _who_imports(upper) if line.startswith("skred.world")]


def test_the_service_knows_nothing_of_the_world():
    users = _who_imports("skred.world", allowed=TIES_WORLD_TO_HUB)
    assert not [line for line in users if line.startswith("skred.hub")]


@pytest.mark.parametrize("origin", ["skred.hub", "skred.world", "skred.acquire"])
def test_the_learning_rooms_know_nothing_of_where_pixels_come_from(origin):
    assert not [line for line in _who_imports(origin) if line.startswith(LEARNING)]


def test_only_the_download_talks_to_the_image_service():
    users = _imported_by("sentinelhub")
    assert users
    assert {name for name in users if not name.startswith("skred.acquire.")} == set()


def test_the_unet_alone_needs_tensorflow():
    users = _imported_by("(keras|tensorflow)")
    assert users
    assert {name for name in users if not name.startswith("skred.detectors.unet.")} == set()
