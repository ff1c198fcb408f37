"""What is said of the paper's sentences, from differences made by hand."""

import pytest

from skred.scores.verdicts import BEST, DEEP, verdicts

SIMULATED = "In the simulated world"


def difference(p_corrected, low=-0.44, high=-0.08, seeds=1, seeds_other=1):
    numbers = {"difference": (low + high) / 2, "low": low, "high": high, "p": 0.011, "p_corrected": p_corrected}
    return numbers | {"seeds": seeds, "seeds_other": seeds_other}


def verdict_of(differences, where=SIMULATED):
    measured = {"where": where, "min_seeds": 5}
    return {line["sentence"]: line for line in verdicts({"measured": measured, "differences": differences})}


BETTER = difference(0.01, 0.08, 0.44, seeds=5, seeds_other=5)
WORSE = difference(0.01, -0.44, -0.08, seeds=5, seeds_other=5)
RIVALS = {f"fusion-unet minus {name}-unet": BETTER for name in ("full", "sar", "optical")}


@pytest.mark.parametrize(("corrected", "verdict"), [(0.13, "cannot tell"), (0.049, "holds")])
def test_a_verdict_goes_by_the_corrected_p(corrected, verdict):
    """p itself is 0.011 in both."""
    row = difference(corrected, 0.08, 0.44, seeds=5)
    assert verdict_of({"sar-unet minus sar-cart": row})[DEEP]["verdict"] == verdict
    rivals = RIVALS | {"fusion-unet minus optical-unet": row | {"seeds_other": 5}}
    assert verdict_of(rivals)[BEST]["verdict"] == verdict


def test_one_rival_with_one_seed_is_too_few_for_best():
    # the two orders in which a difference may stand in the file
    weak = {
        "fusion-unet minus optical-unet": BETTER | {"seeds_other": 1},
        "optical-unet minus fusion-unet": WORSE | {"seeds": 1},
    }
    others = {name: row for name, row in RIVALS.items() if "optical" not in name}
    for name, row in weak.items():
        line = verdict_of({**others, name: row})[BEST]
        assert line["verdict"] == "cannot tell"
        assert "One training seed, wanted 5." in line["text"]
        enough = row | {"seeds": 5, "seeds_other": 5}
        assert verdict_of({**others, name: enough})[BEST]["verdict"] == "holds"


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        (["full", "sar", "optical"], None),
        (["full", "optical"], "sar"),
        (["full"], "sar and optical"),
        (["sar"], "full and optical"),
    ],
)
def test_setting_2_is_best_only_of_all_four_settings(there, missing):
    rivals = {f"fusion-unet minus {name}-unet": BETTER for name in there}
    line = verdict_of(rivals)[BEST]
    assert line["verdict"] == ("cannot tell" if missing else "holds")
    assert ("Without" in line["text"]) == bool(missing)
    if missing:
        assert f": cannot tell. 5 training seeds. Without a U-Net of {missing}. MCC of the U-Net" in line["text"]
    one = f"fusion-unet minus {there[0]}-unet"
    assert verdict_of(rivals | {one: WORSE})[BEST]["verdict"] == "does not hold"  # one that is better is enough


def test_a_setting_that_is_not_the_papers_says_nothing_of_setting_2():
    assert BEST not in verdict_of({"fusion-unet minus mine-unet": BETTER})
    line = verdict_of(RIVALS | {"fusion-unet minus mine-unet": WORSE})[BEST]
    assert (line["verdict"], "mine" in line["text"]) == ("holds", False)


def test_of_real_pixels_nobody_knows_here_what_they_are_labelled_for():
    differences = RIVALS | {"sar-unet minus sar-cart": BETTER}
    for line in verdict_of(differences, "On real pixels (flood-s1s2)").values():
        assert line["text"].startswith(
            f"On real pixels (flood-s1s2): “{line['sentence']}”: holds. The sentence is about landslides: "
            "this counts only if these pixels are labelled for landslides. 5 training seeds."
        )
    assert not any("labelled" in line["text"] for line in verdict_of(differences).values())


def test_a_verdict_says_that_p_is_corrected_and_its_interval_is_not():
    differences = {
        "full-unet minus fusion-unet": difference(0.13, 0.08, 0.44),
        "fusion-unet minus optical-unet": difference(0.5),
        "sar-unet minus sar-cart": difference(0.69, -0.16, 0.5),
    }
    texts = {sentence: line["text"] for sentence, line in verdict_of(differences).items()}
    assert texts[BEST].endswith(
        "fusion minus full -0.26 [-0.44, -0.08], p 0.13; minus optical -0.26 [-0.44, -0.08], p 0.50; "
        "every p corrected for 3 comparisons, intervals not corrected."
    )
    assert texts[DEEP].endswith(
        "CART +0.17 [-0.16, +0.50], p 0.69 corrected for 3 comparisons, intervals not corrected."
    )
