"""The process map: the most frequent part of the directly-follows graph as an SVG picture."""

import math
import re
import unicodedata
from collections import Counter
from xml.etree import ElementTree as ET

from jobtrack_demo.miner.curves import HEIGHT, LAYER, Box, Point, curve
from jobtrack_demo.miner.discovery import Edge
from jobtrack_demo.miner.layering import layers
from jobtrack_demo.miner.report import Analysis

MOST_NODES, MOST_EDGES, MOST_LETTERS = 12, 30, 32
GAP, MARGIN, TOP = 90, 120, 70
INK, QUIET, HOT, FILL = "#1f2a37", "#7a8796", "#c2410c", "#eef4fb"
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def draw(analysis: Analysis) -> str:
    """Draw the map: boxes and arrows with their frequencies, bottlenecks in red."""
    nodes, edges = select(analysis)
    names = analysis.log.activity_names
    labels = {node: _label(names[node]) for node in nodes}
    rows = layers(nodes, edges, analysis.model.starts)
    boxes, width = _boxes(rows, labels)
    canvas = _canvas(width, TOP + len(rows) * LAYER)
    _text(canvas, 20, 30, _caption(analysis, nodes, edges), anchor="start", size=14)
    _arrows(canvas, edges, boxes, set(analysis.performance.bottlenecks))
    for node in nodes:
        _node(canvas, boxes[node], labels[node], names[node], analysis.model.activities[node])
    return ET.tostring(canvas, encoding="unicode")


def select(analysis: Analysis) -> tuple[list[int], Counter[Edge]]:
    """Return the most frequent activities and the most frequent transitions between them."""
    nodes = [node for node, _ in analysis.model.activities.most_common(MOST_NODES)]
    between = {edge: n for edge, n in analysis.model.edges.items() if edge[0] in nodes and edge[1] in nodes}
    return nodes, Counter(dict(Counter(between).most_common(MOST_EDGES)))


def _caption(analysis: Analysis, nodes: list[int], edges: Counter[Edge]) -> str:
    model = analysis.model
    return (
        f"{analysis.source.path.name}: {model.cases:,} cases; shown are {len(nodes)} of {len(model.activities):,} "
        f"activities and {len(edges)} of {len(model.edges):,} transitions (bottlenecks in red)"
    )


def _label(name: str) -> str:
    clean = NOT_XML.sub("\ufffd", name)
    return clean if len(clean) <= MOST_LETTERS else f"{clean[: MOST_LETTERS - 1]}…"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _boxes(rows: list[list[int]], labels: dict[int, str]) -> tuple[dict[int, Box], float]:
    widths = {node: max(90.0, 24 + 8 * _columns(label)) for node, label in labels.items()}
    lengths = [sum(widths[node] for node in row) + GAP * (len(row) - 1) for row in rows]
    width = max([*lengths, 700]) + 2 * MARGIN
    boxes: dict[int, Box] = {}
    for depth, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        left = (width - length) / 2
        for node in row:
            boxes[node] = Box(left + widths[node] / 2, TOP + HEIGHT + depth * LAYER, widths[node])
            left += widths[node] + GAP
    return boxes, width


def _canvas(width: float, height: float) -> ET.Element:
    size = {"width": f"{width:.0f}", "height": f"{height:.0f}", "viewBox": f"0 0 {width:.0f} {height:.0f}"}
    canvas = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "font-family": "sans-serif", **size})
    ET.SubElement(canvas, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    defs = ET.SubElement(canvas, "defs")
    for colour in (QUIET, HOT):
        attributes = {"id": f"tip{colour[1:]}", "viewBox": "0 0 10 10", "refX": "9", "refY": "5", "orient": "auto"}
        sizes = {"markerUnits": "userSpaceOnUse", "markerWidth": "11", "markerHeight": "11"}
        marker = ET.SubElement(defs, "marker", {**attributes, **sizes})
        ET.SubElement(marker, "path", {"d": "M0,0 L10,5 L0,10 z", "fill": colour})
    return canvas


def _arrows(canvas: ET.Element, edges: Counter[Edge], boxes: dict[int, Box], hot: set[Edge]) -> None:
    """Draw the rarest arrows first, and all labels above the arrows."""
    labels: list[tuple[Point, str]] = []
    for edge, count in reversed(edges.most_common()):
        colour, thickness = HOT if edge in hot else QUIET, 1 + 6 * math.sqrt(count / max(edges.values()))
        labels.append((_arrow(canvas, boxes[edge[0]], boxes[edge[1]], colour, thickness), f"{count:,}"))
    for (x, y), label in labels:
        _text(canvas, x, y, label, size=11, colour=INK)


def _arrow(canvas: ET.Element, source: Box, target: Box, colour: str, thickness: float) -> Point:
    path, label = curve(source, target)
    attributes = {"d": path, "fill": "none", "stroke": colour, "stroke-width": f"{thickness:.1f}", "opacity": "0.8"}
    ET.SubElement(canvas, "path", {**attributes, "marker-end": f"url(#tip{colour[1:]})"})
    return label


def _node(canvas: ET.Element, box: Box, label: str, name: str, count: int) -> None:
    group = ET.SubElement(canvas, "g")
    ET.SubElement(group, "title").text = NOT_XML.sub("\ufffd", name)
    place = {"x": f"{box.x - box.width / 2:.0f}", "y": f"{box.y - HEIGHT / 2:.0f}"}
    size = {"width": f"{box.width:.0f}", "height": str(HEIGHT), "rx": "9"}
    ET.SubElement(group, "rect", {**place, **size, "fill": FILL, "stroke": INK, "stroke-width": "1.2"})
    _text(group, box.x, box.y - 3, label, size=14)
    _text(group, box.x, box.y + 14, f"{count:,}", size=12, colour=QUIET)


def _text(
    parent: ET.Element, x: float, y: float, text: str, *, size: int, colour: str = INK, anchor: str = "middle"
) -> None:
    place = {"x": f"{x:.0f}", "y": f"{y:.0f}", "font-size": str(size), "fill": colour, "text-anchor": anchor}
    halo = {"stroke": "#ffffff", "stroke-width": "3", "stroke-linejoin": "round", "paint-order": "stroke"}
    ET.SubElement(parent, "text", {**place, **halo}).text = text
