"""How QGIS draws the layers: QML documents, made here so that colours stand in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from skred.maps.observing import WORDS, Seen

# Okabe & Ito (2008) and viridis: told apart with any colour vision.
LANDSLIDE = "#d55e00"
SEEN_COLOURS = {
    Seen.FULLY: "#ffffff00",
    Seen.RADAR_ONLY: "#a6c8e080",
    Seen.OPTICS_ONLY: "#5a5a5a80",
    Seen.LAYOVER_SHADOW: "#5a5a5ac0",
    Seen.CLOUD: "#a6c8e0c0",
    Seen.NO_PASS: "#222222c0",
}
PART_COLOURS = {
    "area": "#ffffff",
    "train": "#0072b2",
    "val": "#e69f00",
    "test": "#cc79a7",
    "buffer": "#999999",
}
# matplotlib's viridis at five places
RAMP = ((0.0, "#440154"), (0.25, "#3b528b"), (0.5, "#21918c"), (0.75, "#5ec962"), (1.0, "#fde725"))

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


def landslides_qml() -> str:
    """Polygons with an outline and a light fill."""
    return _document(_renderer("singleSymbol", {"0": _fill(LANDSLIDE + "60", LANDSLIDE, 0.4)}))


def observable_qml() -> str:
    """One colour per reason; the observable part is left clear."""
    symbols = {WORDS[seen]: _fill(colour, colour, 0.0) for seen, colour in SEEN_COLOURS.items()}
    return _document(_categorised("reason", symbols))


def aoi_qml() -> str:
    """Outlines: the area, and the parts that a model was trained, validated and tested on."""
    return _document(
        _categorised("part", {part: _fill("#00000000", colour, 0.6) for part, colour in PART_COLOURS.items()})
    )


def probability_qml(threshold: float) -> str:
    """Transparent below a tenth of the threshold, then viridis from 0 to 1."""
    root = Element("qgis", version="3.22.0", styleCategories="Symbology")
    pipe = SubElement(root, "pipe")
    renderer = SubElement(
        pipe,
        "rasterrenderer",
        type="singlebandpseudocolor",
        band="1",
        opacity="0.8",
        classificationMin="0",
        classificationMax="1",
        alphaBand="-1",
        nodataColor="",
    )
    clear = SubElement(SubElement(renderer, "rasterTransparency"), "singleValuePixelList")
    SubElement(clear, "pixelListEntry", min="0", max=f"{threshold / 10:.4f}", percentTransparent="100")
    shader = SubElement(renderer, "rastershader")
    ramp = SubElement(
        shader,
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        minimumValue="0",
        maximumValue="1",
        clip="0",
    )
    for value, colour in RAMP:
        SubElement(ramp, "item", value=f"{value:g}", color=colour, label=f"{value:g}", alpha="255")
    return _text(root)


def _document(renderer: Element) -> str:
    root = Element("qgis", version="3.22.0", styleCategories="Symbology")
    root.append(renderer)
    return _text(root)


def _text(root: Element) -> str:
    indent(root, " ")
    return _HEAD + tostring(root, encoding="unicode") + "\n"


def _categorised(attribute: str, symbols: Mapping[str, Element]) -> Element:
    renderer = _renderer("categorizedSymbol", {str(i): symbol for i, symbol in enumerate(symbols.values())})
    renderer.set("attr", attribute)
    categories = SubElement(renderer, "categories")
    for i, value in enumerate(symbols):
        SubElement(categories, "category", value=value, label=value, symbol=str(i), render="true", type="string")
    return renderer


def _renderer(kind: str, symbols: Mapping[str, Element]) -> Element:
    renderer = Element("renderer-v2", type=kind, symbollevels="0", enableorderby="0", forceraster="0")
    group = SubElement(renderer, "symbols")
    for name, symbol in symbols.items():
        symbol.set("name", name)
        group.append(symbol)
    return renderer


def _fill(inside: str, outline: str, width_mm: float) -> Element:
    symbol = Element("symbol", type="fill", alpha="1", clip_to_extent="1", force_rhr="0")
    layer = SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0", "locked": "0"})
    style = "solid" if width_mm else "no"
    options = SubElement(layer, "Option", type="Map")
    for name, value in (
        ("color", _rgba(inside)),
        ("outline_color", _rgba(outline)),
        ("outline_style", style),
        ("outline_width", f"{width_mm:g}"),
        ("outline_width_unit", "MM"),
        ("style", "solid" if _channels(inside)[3] else "no"),
    ):
        SubElement(options, "Option", name=name, type="QString", value=value)
    return symbol


def _channels(colour: str) -> Sequence[int]:
    text = colour.removeprefix("#").ljust(8, "f")
    return [int(text[i : i + 2], 16) for i in (0, 2, 4, 6)]


def _rgba(colour: str) -> str:
    return ",".join(str(channel) for channel in _channels(colour))
