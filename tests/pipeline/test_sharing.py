"""Data goes from one clone to another through a folder, and two commits are compared."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pipeline_clone import Clone, Reproduced, outputs, stages_run

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def colleague(small: Reproduced, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that got everything by the README's lines."""
    place = tmp_path_factory.mktemp("share")
    small.clone.make("share", f"TO={place / 'folder'}")
    made = small.clone.copy(place / "colleague")
    made.dvc("remote", "add", "--local", "--default", "share", str(place / "folder"))
    made.dvc("pull", "dvc.yaml")
    return made


def test_a_colleague_has_every_output_without_running_anything(colleague: Clone, small: Reproduced) -> None:
    assert [path for path in outputs(small.lock) if not (colleague.root / path).exists()] == []
    assert "up to date" in colleague.dvc("status", "dvc.yaml")
    assert stages_run(colleague.repro()) == []
    assert colleague.read("dvc.lock") == small.lock
    assert colleague.git("status", "--porcelain") == ""


@dataclass(frozen=True)
class Changed:
    clone: Clone
    ran: list[str]
    before: str
    after: str


@pytest.fixture(scope="module")
def changed(colleague: Clone, small: Reproduced) -> Changed:
    """The colleague's branch, on which one number of the trees is another."""
    before = colleague.git("rev-parse", "HEAD")
    colleague.git("switch", "--quiet", "--create", "flat-trees")
    colleague.edit("params.yaml", {"cart": {"max_depth": 1}})
    ran = stages_run(colleague.repro())
    return Changed(colleague, ran, before, colleague.commit("flat trees"))


def test_a_changed_tree_trains_no_network_and_downloads_nothing(changed: Changed) -> None:
    trees = ("full-cart", "fusion-cart", "sar-cart", "fusion-cart-random")
    assert {f"train@{cell}" for cell in trees} <= set(changed.ran)
    assert set(changed.ran) <= {f"{stage}@{cell}" for stage in ("train", "predict", "evaluate") for cell in trees} | {
        "compare"
    }


def test_metrics_params_and_plots_of_two_commits_are_compared(changed: Changed) -> None:
    revisions = (changed.before, changed.after)
    made = changed.clone
    (metrics,) = made.dvc_json("metrics", "diff", *revisions).values()
    assert {"full.cart.f1", "sar.cart.auprc"} <= set(metrics)
    assert not any(name.startswith("fusion.unet.") for name in metrics)
    for row in metrics.values():
        assert row["old"] != row["new"]

    assert made.dvc_json("params", "diff", *revisions) == {
        "params.yaml": {"cart.max_depth": {"old": 6, "new": 1, "diff": -5}}
    }
    assert "cart.max_depth" in made.dvc("params", "diff", "--md", *revisions)
    assert "full.cart.f1" in made.dvc("metrics", "diff", "--md", *revisions)

    made.dvc("plots", "diff", "--out", "shown", *revisions)
    page = (made.root / "shown/index.html").read_text(encoding="utf-8")
    assert all(word in page for word in ("precision and recall", "learning curves", "sar-cart", *_short(revisions)))


def _short(revisions: tuple[str, ...]) -> list[str]:
    return [revision[:7] for revision in revisions]
