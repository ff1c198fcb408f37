"""The page: one file that opens from disk and asks nobody for anything. Same inputs, same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from skred.core.errors import SkredError
from skred.report.leaflet import VERSION, leaflet_css, leaflet_js

SCRIPTS = ("map.js", "charts.js", "main.js")


@dataclass(frozen=True)
class Page:
    """What the page shows: `text` for the template, `data` for the script, `pictures` as data URIs by name."""

    text: Mapping[str, Any]
    data: Mapping[str, Any]
    pictures: Mapping[str, str]


def render(page: Page, max_mb: float) -> str:
    """The page as HTML.

    Raises
    ------
    SkredError
        It would be larger than `max_mb`; the line says what takes the room.
    """
    css = leaflet_css() + _static("page.css")
    leaflet = leaflet_js()
    js = '"use strict";\n' + "\n".join(_static(name) for name in SCRIPTS)
    for text in (css, leaflet, js):
        if "</script" in text.lower() or "</style" in text.lower():
            raise SkredError("report: a script or style holds its own end tag; write it otherwise")
    pictures = sorted(page.pictures.items())
    html = (
        _environment()
        .get_template("index.html")
        .render(
            **page.text,
            policy=_policy([leaflet, js], [css]),
            css=Markup(css),  # noqa: S704  # our own files and Leaflet, checked by hash
            leaflet=Markup(leaflet),  # noqa: S704
            js=Markup(js),  # noqa: S704
            leaflet_version=VERSION,
            data=Markup(_json(page.data)),  # noqa: S704  # see _json
            pictures=pictures,
        )
    )
    size_mb = len(html.encode()) / 1e6
    if size_mb > max_mb:
        largest = sorted(pictures, key=lambda item: -len(item[1]))[:3]
        told = ", ".join(f"{name} {len(uri) / 1e6:.1f} MB" for name, uri in largest)
        raise SkredError(
            f"report: {size_mb:.1f} MB, wanted at most {max_mb:g}; largest are {told}; "
            "lower report.levels or report.photo_quality, or map fewer cells"
        )
    return html


def render_card(context: Mapping[str, Any]) -> str:
    """A model card as Markdown."""
    return _environment().get_template("card.md").render(**context)


def _policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Nothing from anywhere: only our own scripts and styles, by hash, and pictures inside the file."""
    return (
        f"default-src 'none'; img-src data:; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashes(texts: Sequence[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _json(data: Any) -> str:
    # "<" is written as an escape, so that no string can end the script element.
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")


def _static(name: str) -> str:
    return resources.files("skred.report").joinpath("static", name).read_text(encoding="utf-8")


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("skred.report"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=False,
    )
