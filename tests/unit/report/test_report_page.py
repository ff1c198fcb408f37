"""The page as text: one file, nothing from outside, the same bytes, colours that can be read."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest

import report_place
from report_place import PATCH, REPORT
from skred.core.errors import SkredError
from skred.core.json_file import write_json
from skred.report import leaflet, page
from skred.report.make import make_page, write_cards, write_figures


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    inputs, before = report_place.build(folder)
    return folder, inputs, before, make_page(inputs, before, REPORT, PATCH, overlap_share=0.2)


def test_the_page_asks_nobody_for_anything(made):
    html = made[3]
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", re.sub(r"(?s)<script>.*?</script>", "", html))
    assert "url(" not in "".join(re.findall(r"(?s)<style>.*?</style>", html))
    assert "sourceMappingURL" not in html
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html).group(1)
    assert policy.startswith("default-src &#39;none&#39;; img-src data:;")
    assert "unsafe" not in policy


def test_the_policy_names_the_hash_of_every_script_and_style_and_of_no_other(made):
    html = made[3]
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html).group(1)
    texts = re.findall(r"(?s)<script>(.*?)</script>", html) + re.findall(r"(?s)<style>(.*?)</style>", html)
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    assert re.findall(r"sha256-([A-Za-z0-9+/=]+)", policy.replace("&#43;", "+").replace("&#34;", '"')) == hashes
    assert " style=" not in re.sub(r"(?s)<script>.*?</script>", "", html)


def test_the_same_inputs_give_the_same_bytes(made, tmp_path):
    inputs, before = report_place.build(tmp_path / "a-longer-name")
    assert make_page(inputs, before, REPORT, PATCH, overlap_share=0.2) == made[3]


def test_no_text_of_an_event_can_end_the_script_that_holds_it():
    assert "</script" not in page._json({"title": "</script><script>alert(1)"})
    assert json.loads(page._json({"title": "</script>"})) == {"title": "</script>"}


def test_a_page_that_is_too_large_is_refused_with_what_takes_the_room(made):
    _, inputs, before, _ = made
    with pytest.raises(SkredError, match=r"wanted at most 0\.05; largest are .* MB; lower report\.levels"):
        make_page(inputs, before, REPORT.model_copy(update={"max_mb": 0.05}), PATCH, overlap_share=0.2)


def test_another_leaflet_is_refused(monkeypatch):
    monkeypatch.setitem(leaflet._SHA256, "leaflet.js", "0" * 64)
    with pytest.raises(SkredError, match=r"is not leaflet\.js of Leaflet 1\.9\.4"):
        leaflet.leaflet_js()


def test_what_is_simulated_is_said_and_what_is_not_measured_is_said_to_be_absent(made):
    html = made[3]
    assert html.count("simulated") > 8
    assert "All pixels are simulated" in html
    assert "Not shown, because the score files do not hold it" in html
    assert "reliability" in html
    assert "No intervals (not in the score files)" in html


def test_intervals_sizes_reliability_verdicts_and_confounders_are_shown_where_there_are_any(tmp_path):
    objects = {
        "unit_px": 4,
        "recall": 0.6,
        "recall_low": 0.5,
        "recall_high": 0.7,
        "precision": 0.4,
        "by_size": {
            "under_0.1_ha": {"landslides": 10, "found": 2, "touched": 4},
            "from_1_ha": {"landslides": 4, "found": 4, "touched": 4},
        },
    }
    held_out = {**report_place.BOX, "mcc_low": 0.43, "mcc_high": 0.66, "objects": objects}
    on = {
        "felled": {"false_alarms": 2, "per_100km2": 8.2, "area_share": 0.004},
        "mown": {"false_alarms": 1, "per_100km2": 4.1, "area_share": 0.07},
    }
    plain = report_place.scores("fusion-cart")["control"]
    control = plain | {"false_alarms_per_100km2_low": 8.1, "false_alarms_per_100km2_high": 20.4}
    control["false_alarms_by_confounder"] = on
    cell_scores = {
        cell: report_place.scores(cell, held_out=held_out, control=control, unit_px=4) for cell in report_place.CELLS
    }
    inputs, before = report_place.build(tmp_path, cell_scores)
    for folder in inputs.scores:
        (folder / "reliability.csv").write_text(
            "role,probabilities,probability,observed,pixels\ntest,raw,0.1,0.05,4000\ntest,raw,0.9,0.7,100\n"
            "test,calibrated,0.05,0.05,4000\n"
        )
    line = "In the simulated world: “setting 2 is best”: cannot tell. One training seed, wanted 5."
    seeds = {"seeds": 1, "seeds_other": 1}
    difference = {"difference": -0.04, "low": -0.11, "high": 0.03, "p": 0.2, "p_corrected": 0.41, **seeds}
    few = {
        **dict.fromkeys(("low", "high", "p", "p_corrected")),
        "difference": 0.1,
        "reason": "9 blocks, wanted 30",
        **seeds,
    }
    measured = {"where": "In the simulated world", "score": "mcc", "roles": "test and unseen", "blocks": 124}
    record = {
        "measured": measured | {"min_seeds": 5},
        "differences": {
            "sar-unet minus fusion-cart": difference,
            "fusion-unet minus fusion-cart": few,
            "fusion-unet minus sar-unet": few,
        },
    }
    write_json(tmp_path / "differences.json", record)
    inputs = replace(inputs, differences=tmp_path / "differences.json")
    html = make_page(inputs, before, REPORT, PATCH, overlap_share=0.2)
    for told in (
        "has the highest MCC on the test blocks and unseen event together: 0.54 [0.43, 0.66]",
        "+0.04 [-0.03, +0.11] to sar, U-Net, which may be chance",
        "0.60 <small>[0.50, 0.70]</small>",
        "12 <small>[8, 20]</small>",
        line,
        "on the same 124 blocks",
        "not corrected; p corrected for 3 comparisons",
        "sar-unet − fusion-cart",
        "[-0.11, +0.03]",
        "9 blocks, wanted 30",
        "felled (&lt; 1 % of the ground)",
        "mown (7 % of the ground)",
        "of 100 pixels at probability 0.90, 70 % were landslide",
        "fusion, CART, under 0.1 ha: 2 of 10 found",
    ):
        assert told in html, told
    assert "Not shown" not in html

    write_cards(inputs, tmp_path / "cards")
    card = (tmp_path / "cards/fusion-cart.md").read_text(encoding="utf-8")
    assert "| test blocks and unseen event together | 0.50 | 0.60 | 0.55 | 0.54 [0.43, 0.66] | 0.50 |" in card
    assert "Those false alarms lie: 2 on felled, 1 on mown." in card
    assert "Small landslides escape: under 0.1 ha it found 2 of 10." in card


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_lines_have_the_contrast_that_wcag_asks_for(theme):
    css = page._static("page.css")
    block = re.search(rf":root\[data-theme={theme}\]\{{(--.*?)\}}", css, re.DOTALL).group(1)
    tokens = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6})", block))
    for ground in ("paper", "panel", "good"):
        assert contrast(tokens["ink"], tokens[ground]) >= 7
        assert contrast(tokens["muted"], tokens[ground]) >= 4.5
        assert contrast(tokens["accent"], tokens[ground]) >= 4.5
    assert contrast(tokens["warn-ink"], tokens["warn"]) >= 7
    for series in ("s0", "s1", "s2", "s3", "s4"):
        assert contrast(tokens[series], tokens["panel"]) >= 3


def test_both_ways_to_a_theme_have_the_same_colours():
    css = page._static("page.css")
    dark = re.findall(r"\{(--paper:#14181a.*?)\}", css, re.DOTALL)
    light = re.findall(r"\{(--paper:#fbfaf7.*?)\}", css, re.DOTALL)
    assert len(dark) == len(light) == 2
    assert dark[0] == dark[1]
    assert light[0] == light[1]


def test_a_card_says_what_a_model_reads_scores_and_cannot_do(made, tmp_path):
    _, inputs, _, _ = made
    write_cards(inputs, tmp_path / "cards")
    card = (tmp_path / "cards/fusion-cart.md").read_text(encoding="utf-8")
    for part in (
        "# fusion-cart\n",
        "Learnt and scored on simulated pixels",
        "| setting | `fusion`: dndvi, pre_vv, post_vv |",
        "| minimum mapping unit of its maps | 300 m² |",
        "| `dndvi` |",
        "| test blocks | 0.50 | 0.60 | 0.55 | 0.54 | 0.50 |",
        "12 false alarms per 100 km² (3 on 24 km²)",
        "## Known failures",
        "## Data and licence",
    ):
        assert part in card
    assert re.search(r"SHA-256 of its files \| `[0-9a-f]{64}`", card)
    assert "radar shadow" in (tmp_path / "cards/sar-unet.md").read_text(encoding="utf-8")
    assert not re.search(r"\n\n\n", card)


def test_figures_are_drawn_for_every_event_and_are_the_same_bytes_again(made, tmp_path):
    _, inputs, before, _ = made
    for folder in ("one", "two"):
        write_figures(inputs, before, tmp_path / folder, REPORT)
    names = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert names == [
        f"{event}-{what}.png" for event in ("control", "unseen") for what in ("composites", "errors", "settings")
    ]
    for name in names:
        content = (tmp_path / "one" / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert (tmp_path / "two" / name).read_bytes() == content
        assert b"matplotlib" not in content


def test_a_page_of_real_and_simulated_events_marks_each_and_claims_neither_for_all(tmp_path):
    inputs, before = report_place.build(tmp_path)
    index = tmp_path / "control/scenes/scenes.json"
    write_json(index, json.loads(index.read_text()) | {"simulated": False})
    html = make_page(inputs, before, REPORT, PATCH, overlap_share=0.2)
    assert "All pixels are simulated" not in html
    assert "Some events are simulated, and marked so" in html
    assert '<th scope="row">unseen (simulated)</th>' in html
    assert '<th scope="row">control</th>' in html


def test_pieces_of_the_raster_are_not_called_landslides_and_the_inventory_is_named(tmp_path):
    inputs, before = report_place.build(tmp_path)
    index = tmp_path / "unseen/scenes/scenes.json"
    read = json.loads(index.read_text())
    write_json(index, read | {"about": read["about"] | {"inventory": {"landslides": 7, "unknown": 0}}})
    html = make_page(inputs, before, REPORT, PATCH, overlap_share=0.2)
    assert "pieces of mapped landslides</th>" in html
    assert "The inventories themselves count 7 on unseen." in html


def test_a_card_does_not_say_that_small_ones_escape_where_all_were_found(tmp_path):
    sizes = {"under_0.1_ha": {"landslides": 4, "found": 4, "touched": 4}}
    objects = {"recall": 1.0, "precision": 1.0, "by_size": sizes}
    inputs, _ = report_place.build(tmp_path, {"fusion-cart": report_place.scores("fusion-cart", objects=objects)})
    write_cards(inputs, tmp_path / "cards")
    assert "Small landslides escape" not in (tmp_path / "cards/fusion-cart.md").read_text(encoding="utf-8")
