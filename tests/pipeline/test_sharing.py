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
    """The colleague's branch, on which one setting has one band more."""
    before = colleague.git("rev-parse", "HEAD")
    colleague.git("switch", "--quiet", "--create", "more-radar")
    colleague.edit("params.yaml", {"settings": {"sar": ["pre_vv", "post_vv", "post_vh"]}})
    ran = stages_run(colleague.repro())
    return Changed(colleague, ran, before, colleague.commit("more radar"))


def test_a_changed_setting_runs_its_own_cells_and_nothing_else(changed: Changed) -> None:
    assert changed.ran == ["train@sar-cart", "predict@sar-cart", "evaluate@sar-cart", "compare", "report"]


def test_metrics_params_and_plots_of_two_commits_are_compared(changed: Changed) -> None:
    made, revisions = changed.clone, (changed.before, changed.after)
    (metrics,) = made.dvc_json("metrics", "diff", *revisions).values()
    assert {"sar.cart.threshold", "sar.cart.auprc", "sar.cart.unseen.auprc"} <= set(metrics)
    assert all(name.startswith("sar.cart.") and row["old"] != row["new"] for name, row in metrics.items())
    assert "sar.cart.auprc" in made.dvc("metrics", "diff", "--md", *revisions)

    (params,) = made.dvc_json("params", "diff", *revisions).values()
    assert set(params) == {"settings.sar"}
    assert "post_vh" in params["settings.sar"]["new"] and "post_vh" not in params["settings.sar"]["old"]
    assert "settings.sar" in made.dvc("params", "diff", "--md", *revisions)

    made.dvc("plots", "diff", "--out", "shown", *revisions)
    page = (made.root / "shown/index.html").read_text(encoding="utf-8")
    assert all(word in page for word in ("precision and recall", "learning curves", "sar-cart"))
    assert all(revision[:7] in page for revision in revisions)
