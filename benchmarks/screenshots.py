"""The report in Chromium: the README's two pictures, what axe finds, and how long the page takes to open.

``python benchmarks/screenshots.py reports/index.html docs``
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
LOOKS: dict[str, dict[str, Any]] = {
    f"{name}-{scheme}": {**options, "color_scheme": scheme}
    for name, options in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path, help="gets report-desktop.jpg and report-phone.jpg")
    parser.add_argument("--all", action="store_true", help="also the whole page in every look, as PNG")
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium on this machine: make test-tools")
    args.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium)
        for look, options in LOOKS.items():
            page = browser.new_context(offline=True, reduced_motion="reduce", **options).new_page()
            page.goto(args.page.resolve().as_uri())
            expect(page.locator("#tally")).not_to_be_empty()
            opened_ms = page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
            found = Axe().run(page).response["violations"]
            told = [f"{one['id']} ({one['impact']})" for one in found] or ["nothing"]
            sys.stdout.write(f"{look}: open in {opened_ms} ms; axe finds {', '.join(told)}\n")
            if args.all:
                page.screenshot(path=args.out / f"{look}.png", full_page=True)
            page.check("input[value=unseen]")
            if look == "desktop-light":
                page.select_option("#left", "dndvi")
                page.eval_on_selector(
                    "#swipe", "swipe => { swipe.value = 38; swipe.dispatchEvent(new Event('input')) }"
                )
                save(page, "#map-section", args.out / "report-desktop.jpg")
            if look == "phone-light":
                save(page, "#mapbox", args.out / "report-phone.jpg")
        browser.close()


def save(page: Page, from_: str, path: Path) -> None:
    """One screen, from the top of an element on."""
    page.eval_on_selector(from_, "element => element.scrollIntoView()")
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=88, optimize=True)


if __name__ == "__main__":
    main()
