"""The arrows of the process map: Bézier paths between boxes."""

from dataclasses import dataclass
from typing import TypeAlias

HEIGHT = 46
HALF = HEIGHT / 2
LAYER = 150

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """The position of a node: its centre and its width, in pixels."""

    x: float
    y: float
    width: float


def curve(source: Box, target: Box) -> tuple[str, Point]:
    """Return the path of an arrow and the position of its label.

    Arrows down are nearly straight, arrows up or sideways are bows, arrows to the same node are loops.
    """
    if source == target:
        right, y = source.x + source.width / 2, source.y
        return f"M{right:.0f},{y - 12:.0f} c44,-18 44,42 0,24", (right + 38, y)
    if source.y == target.y:
        return _drawn(*_bow(source, target), at=0.5)
    return _drawn(*(_fall(source, target) if source.y < target.y else _rise(source, target)), at=0.4)


def _drawn(a: Point, b: Point, c: Point, d: Point, at: float) -> tuple[str, Point]:
    path = f"M{a[0]:.0f},{a[1]:.0f} C{b[0]:.0f},{b[1]:.0f} {c[0]:.0f},{c[1]:.0f} {d[0]:.0f},{d[1]:.0f}"
    weights = ((1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3)
    pairs = list(zip(weights, (a, b, c, d), strict=True))
    return path, (sum(w * x for w, (x, _) in pairs), sum(w * y for w, (_, y) in pairs))


def _towards(box: Box, other: Box, shift: float) -> float:
    """Return the point on a box's edge that faces the other box, shifted so that opposite arrows do not overlap."""
    reach = box.width / 2 - 12
    return box.x + max(-reach, min(reach, (other.x - box.x) / 4 + shift))


def _around(source: Box, target: Box) -> float:
    """Return how far to the right an arrow must run to pass the boxes of other layers."""
    passed = abs(source.y - target.y) / LAYER - 1
    return 0 if passed <= 0 else (max(source.width, target.width) / 2 + 25 + 25 * passed) * 4 / 3


def _fall(source: Box, target: Box) -> tuple[Point, Point, Point, Point]:
    aside = _around(source, target)
    shift = source.width if aside else -14
    start, end = (_towards(source, target, shift), source.y + HALF), (_towards(target, source, shift), target.y - HALF)
    pull = (end[1] - start[1]) * 0.5
    return start, (start[0] + aside, start[1] + pull), (end[0] + aside, end[1] - pull), end


def _rise(source: Box, target: Box) -> tuple[Point, Point, Point, Point]:
    start, end = (_towards(source, target, 14), source.y - HALF), (_towards(target, source, 14), target.y + HALF)
    pull, aside = (start[1] - end[1]) * 0.5, 30 + _around(source, target)
    return start, (start[0] + aside, start[1] - pull), (end[0] + aside, end[1] + pull), end


def _bow(source: Box, target: Box) -> tuple[Point, Point, Point, Point]:
    """Return a bow above the row for one direction and below it for the other; longer arrows have higher bows."""
    side = -1 if source.x < target.x else 1
    start = _towards(source, target, 0), source.y + side * HALF
    end = _towards(target, source, 0), target.y + side * HALF
    lift = side * min(48.0, 16 + abs(source.x - target.x) / 14)
    return start, (start[0], start[1] + lift), (end[0], end[1] + lift), end
