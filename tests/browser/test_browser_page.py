"""The page in a real browser, offline: what a person does with it."""

import re
import shutil

import pytest

import report_place

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: make test-tools installs Debian's"
)
playwright.expect.set_options(timeout=30_000)  # a busy machine is no failure
WIDE, PHONE = {"viewport": {"width": 1280, "height": 900}}, {"viewport": {"width": 390, "height": 844}}
PHONE |= {"has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return report_place.page(tmp_path_factory.mktemp("page")).as_uri()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, url):
    """``opened(**context)`` opens the page; at the end there was no console message and no request but the file.

    The page forbids eval: wait with ``expect`` or a function, for a string is evaluated again at every look.
    """
    contexts, heard, asked = [], [], []

    def open_page(**options):
        context = chromium.new_context(offline=True, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        playwright.expect(page.locator("#tally")).not_to_be_empty()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []
    assert {address for address in asked if not address.startswith("data:")} == {url}


def shown(page, side):
    return page.locator(f".leaflet-{side}-pane img").get_attribute("src")


def at(page, col, row):
    """Where a pixel of the map lies on the screen, once the map has come to rest."""
    playwright.expect(page.locator(".leaflet-pan-anim")).to_have_count(0)
    place = page.evaluate(
        """([col, row]) => {
            const g = JSON.parse(document.getElementById("data").textContent).events[0].grid;
            const p = skredMap.latLngToContainerPoint([g.north - row * g.resolution_m, g.west + col * g.resolution_m]);
            const box = document.getElementById("map").getBoundingClientRect();
            return [box.left + p.x, box.top + p.y];
        }""",
        [col, row],
    )
    return {"x": place[0], "y": place[1]}


def test_layers_switch_on_both_sides_and_legends_follow(opened):
    page = opened(**WIDE)
    left, right = shown(page, "left"), shown(page, "right")
    assert left != right
    page.select_option("#left", "dndvi")
    page.select_option("#right", "probability-sar-unet")
    assert len({left, right, shown(page, "left"), shown(page, "right")}) == 4
    legends = page.inner_text("#legends")
    assert "Left: Change of NDVI (dNDVI)" in legends
    assert "Right: Probability, sar-unet" in legends
    assert "NDVI" in legends


def test_the_swipe_moves_the_border_between_the_pictures(opened):
    page = opened(**WIDE)

    def clipped():
        return page.evaluate("document.querySelector('.leaflet-right-pane').style.clipPath")

    before, line = clipped(), page.locator(".divider").bounding_box()["x"]
    page.focus("#swipe")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert clipped() != before
    assert page.locator(".divider").bounding_box()["x"] > line + 100
    box = page.locator("#swipe").bounding_box()
    page.locator("#swipe").scroll_into_view_if_needed()
    page.evaluate(
        "swipe => { swipe.value = 0; swipe.dispatchEvent(new Event('input')); }", page.query_selector("#swipe")
    )
    assert page.locator(".divider").bounding_box()["x"] == pytest.approx(box["x"] + 22, abs=3)


def test_a_drag_of_the_handle_moves_the_divider_and_not_the_map(opened):
    page = opened(**WIDE)
    page.locator("#mapbox").scroll_into_view_if_needed()
    box, centre = page.locator("#swipe").bounding_box(), page.evaluate("skredMap.getCenter().lng")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 200, y, steps=4)
    page.mouse.up()
    assert page.locator(".divider").bounding_box()["x"] < x - 150
    assert page.evaluate("skredMap.getCenter().lng") == centre


def test_a_click_shows_the_attributes_of_the_polygon_under_it(opened):
    page = opened(**WIDE)
    page.locator("#mapbox").scroll_into_view_if_needed()
    page.mouse.click(**at(page, 36, 33))
    popup = page.locator(".leaflet-popup-content")
    popup.wait_for()
    assert "Polygon 2: false alarm" in popup.inner_text()
    assert "7 200 m²" in popup.inner_text()
    assert "simulated" in popup.inner_text()
    assert page.locator("#polygons tr.chosen").get_attribute("data-id") == "2"
    page.keyboard.press("Escape")
    popup.wait_for(state="detached")
    page.mouse.click(**at(page, 63, 45))
    page.locator(".leaflet-popup-content", has_text="Known landslide: missed").wait_for()


def test_the_table_is_the_way_in_for_the_keyboard(opened):
    page = opened(**WIDE)
    page.locator("#polygons tbody button").first.focus()
    page.keyboard.press("Enter")
    page.locator(".leaflet-popup-content", has_text=re.compile("Polygon 2")).wait_for()
    page.select_option("#verdicts", "hit")
    assert page.locator("#polygons tbody tr").count() == 1


def test_the_value_under_the_pointer_is_that_of_the_layer(opened):
    page = opened(**WIDE)
    page.locator("#mapbox").scroll_into_view_if_needed()
    page.select_option("#left", "probability-fusion-cart")
    page.mouse.move(**at(page, 13.5, 15.5))
    playwright.expect(page.locator("#readout")).to_contain_text("Probability")
    value = float(re.search(r"fusion-cart: ([\d.]+)", page.inner_text("#readout")).group(1))
    assert value == pytest.approx(0.9, abs=0.5 / 31 + 0.005)
    assert "east 350 135 m, north 6 799 845 m (EPSG:32632)" in page.inner_text("#readout")


def test_another_event_brings_its_own_pictures_and_polygons_and_an_empty_one_says_so(opened):
    page = opened(**WIDE)
    first = shown(page, "left")
    page.check("input[name=event][value=control]")
    assert shown(page, "left") != first
    assert "0 polygons" in page.inner_text("#tally")
    assert page.inner_text("#polygons tbody").strip() == "No polygons."


def test_overlays_switch(opened):
    page = opened(**WIDE)
    lines = page.locator(".leaflet-detected-pane path")
    assert lines.count() == 4  # two polygons, each with its casing
    page.uncheck("#show-detected")
    assert lines.count() == 0
    assert page.locator(".leaflet-mask-pane img").count() == 0
    page.check("#show-mask")
    assert page.locator(".leaflet-mask-pane img").count() == 1


def test_charts_answer_to_the_pointer_and_to_the_arrow_keys(opened):
    page = opened(**WIDE)
    figure = page.locator("figure[data-chart=pr]")
    figure.scroll_into_view_if_needed()
    figure.locator(".plot").hover()
    told = figure.locator(".said").inner_text()
    assert re.search(r"recall 0\.\d\d, precision 0\.\d\d at threshold", told)
    figure.locator(".plot").focus()
    page.keyboard.press("ArrowRight")
    assert figure.locator(".said").inner_text() != told


def test_on_a_phone_the_popup_opens_below_the_zoom_buttons_and_north(opened):
    page = opened(**PHONE)
    page.locator("#polygons tbody button").first.click()
    page.wait_for_function(
        """() => {
            const title = document.querySelector(".leaflet-popup h3");
            const bottom = (name) => document.querySelector(name).getBoundingClientRect().bottom;
            const top = title ? title.getBoundingClientRect().top : 0;
            return top >= bottom(".leaflet-control-zoom") && top >= bottom(".north");
        }""",
    )
    assert "uncalibrated score, not a chance" in page.inner_text(".leaflet-popup")


@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_findings_and_nothing_is_wider_than_the_screen(opened, screen, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make setup")
    page = opened(color_scheme=scheme, **screen)
    assert page.evaluate("document.documentElement.scrollWidth") == screen["viewport"]["width"]
    page.locator("#polygons tbody button").first.click()  # the popup too
    results = axe.Axe().run(page)
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in results.response["violations"]] == []


def test_on_a_phone_one_finger_scrolls_the_page(opened):
    page = opened(**PHONE)
    assert page.evaluate("skredMap.dragging.enabled()") is False
    assert "pan-y" in page.evaluate("getComputedStyle(document.getElementById('map')).touchAction")


def test_the_theme_button_turns_dark_to_light(opened):
    page = opened(color_scheme="dark", **WIDE)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_where_the_model_learnt_only_the_test_split_is_tallied(opened):
    page = opened(**WIDE)
    assert "1 hits, 1 false alarms; 1 of 2 pieces of known landslides found" in page.inner_text("#tally")
    page.evaluate(
        """() => {
            const event = data.events[0], polygons = event.cells[document.querySelector("#cell").value].detected;
            event.parts = {train: [[0, 0, 80, 0, 80, 30, 0, 30]], test: [[0, 30, 80, 30, 80, 60, 0, 60]]};
            polygons.forEach((p) => { p.split = p.verdict === "hit" ? "train" : "test"; });
            event.known.forEach((k, i) => { k.part = i ? "test" : "train"; });
            document.querySelector("#cell").dispatchEvent(new Event("change"));
        }"""
    )
    told = page.inner_text("#tally")
    assert "in the test split 0 hits, 1 false alarms; 0 of 1 pieces of known landslides found" in told
    assert "the other 1 polygons lie where the model learnt" in told


def test_south_and_west_have_their_letters(opened):
    page = opened(**WIDE)
    page.evaluate("() => { data.events[0].grid.lattice.flat().forEach((p) => { p[0] = -70.5; p[1] = -33.25; }); }")
    page.locator("#mapbox").scroll_into_view_if_needed()
    page.mouse.move(**at(page, 13.5, 15.5))
    playwright.expect(page.locator("#readout")).to_contain_text("33.25000° S 70.50000° W")
