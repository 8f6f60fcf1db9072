"""Measure the structure of checkouts side by side: `python -m scripts.structure [CHECKOUT ...]`.

A room is a module or package directly below a top-level package, or that package's own `__init__.py` if it imports
anything. An arrow is an import from one room to another. Floors are the rooms on the longest chain of imports, where
the rooms of a cycle count as one: a cycle makes the number of floors too small. Imports that only type checkers see
count too, since a reader follows them as well. Empty modules do not count.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import grimp

PACKAGES = {
    "layer": ("layers/jobtrack/python/jobtrack",),
    "client": ("client/jobtrack_client",),
    "local": ("local/jobtrack_local", "local"),
    "demo": ("demo/jobtrack_demo",),
}
"""Where each top-level package is; the second place is that of an older layout."""
Row = tuple[str, object]
Arrows = Mapping[str, set[str]]
"""Room → the rooms that it imports."""


def files(checkout: Path, *patterns: str) -> list[Path]:
    """Return the files of the checkout that Git tracks and that match a pattern."""
    command = ["git", "-C", str(checkout), "ls-files", "-z", "--", *patterns]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [checkout / name for name in names.split("\0") if name and (checkout / name).exists()]


def size_rows(checkout: Path) -> Iterator[Row]:
    """Yield the number of modules, their median length and their total length, without tests and with them."""
    for label, patterns in (("without tests", ["*.py", ":!tests"]), ("with tests", ["*.py"])):
        lengths = [lines for file in files(checkout, *patterns) if (lines := len(file.read_bytes().splitlines()))]
        yield f"modules, {label}", len(lengths)
        yield f"median lines, {label}", f"{median(lengths):g}"
        yield f"total lines, {label}", sum(lengths)


def find_package(checkout: Path, places: Iterable[str]) -> Path | None:
    """Return the first place that is a Python package in this checkout."""
    return next((checkout / place for place in places if (checkout / place / "__init__.py").exists()), None)


def read_arrows(package: Path) -> Arrows:
    """Return the rooms of a package and the arrows between them."""
    sys.path.insert(0, str(package.parent))
    imported_before = sys.modules.pop(package.name, None)  # grimp would analyse this one instead of the checkout's
    try:
        graph = grimp.build_graph(package.name, cache_dir=None)
    finally:
        sys.path.pop(0)
        if imported_before:
            sys.modules[package.name] = imported_before
    arrows: dict[str, set[str]] = {}
    for module in graph.modules:
        importer = _room(module)
        imported = {_room(name) for name in graph.find_modules_directly_imported_by(module)}
        arrows.setdefault(importer, set()).update(imported - {importer})
    return arrows if arrows["__init__"] else {room: arrows[room] for room in arrows if room != "__init__"}


def _room(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def find_cycles(arrows: Arrows) -> list[set[str]]:
    """Return the sets of rooms that import each other, directly or through others."""
    reach = {room: _reachable(arrows, room) for room in arrows}
    groups = {frozenset({room} | {other for other in reach[room] if room in reach[other]}) for room in arrows}
    return [set(group) for group in sorted(groups, key=sorted) if len(group) > 1]


def _reachable(arrows: Arrows, room: str) -> set[str]:
    rooms, pending = set[str](), list(arrows[room])
    while pending:
        if (other := pending.pop()) not in rooms:
            rooms.add(other)
            pending += arrows[other]
    return rooms


def count_floors(arrows: Arrows) -> int:
    """Return the number of rooms on the longest chain of imports, a cycle counted as one room."""
    group = {room: min(cycle) for cycle in find_cycles(arrows) for room in cycle}

    @cache
    def height(room: str) -> int:
        members = [other for other in arrows if group.get(other, other) == room]
        below = {group.get(other, other) for member in members for other in arrows[member]} - {room}
        return 1 + max(map(height, below), default=0)

    return max(height(group.get(room, room)) for room in arrows)


def package_rows(checkout: Path) -> Iterator[Row]:
    """Yield the rooms, arrows, floors and cycles of each package."""
    for name, places in PACKAGES.items():
        if package := find_package(checkout, places):
            arrows = read_arrows(package)
            yield f"{name}: rooms", len(arrows)
            yield f"{name}: arrows", sum(map(len, arrows.values()))
            yield f"{name}: floors", count_floors(arrows)
            yield f"{name}: rooms in cycles", sum(map(len, find_cycles(arrows)))


def describe_cycles(checkout: Path) -> Iterator[str]:
    """Yield a line for each cycle of rooms."""
    for name, places in PACKAGES.items():
        if package := find_package(checkout, places):
            for cycle in find_cycles(read_arrows(package)):
                yield f"{checkout.name}: cycle in {name}: {', '.join(sorted(cycle))}"


def count_keys(tree: ast.AST) -> int:
    """Return the number of keys that the dict displays of a module write out."""
    dicts = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    return sum(isinstance(key, ast.Constant) for node in dicts for key in node.keys)


def count_unchecked_keys(tree: ast.Module) -> int:
    """Return the number of keys in functions that return plain dicts, which type checkers do not compare to a type."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.returns]
    return sum(map(count_keys, (node for node in functions if _PLAIN_DICT.search(ast.unparse(node.returns or node)))))


_PLAIN_DICT = re.compile(r"\b(?:Json|dict)\b")


def count_fields(tree: ast.AST) -> int:
    """Return the number of fields that the classes of a module declare."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return sum(isinstance(statement, ast.AnnAssign) for node in classes for statement in node.body)


@dataclass(frozen=True)
class Place:
    """Files in which members of the API's responses are written out, and how to count them."""

    label: str
    pattern: str
    count: Callable[[ast.Module], int]


PLACES = (
    Place("keys of dicts in the layer's views", "layers/jobtrack/python/jobtrack/views/**.py", count_keys),
    Place(
        "keys of dicts without a type in the layer's views",
        "layers/jobtrack/python/jobtrack/views/**.py",
        count_unchecked_keys,
    ),
    Place("fields of types in the layer's views", "layers/jobtrack/python/jobtrack/views/**.py", count_fields),
    Place("fields of types in scripts/openapi", "scripts/openapi/*_answers.py", count_fields),
    Place("fields of types in the client's models.py", "client/jobtrack_client/models.py", count_fields),
)


def member_rows(checkout: Path) -> Iterator[Row]:
    """Yield how many members of responses each place defines."""
    for place in PLACES:
        trees = [ast.parse(file.read_bytes()) for file in files(checkout, place.pattern)]
        yield f"members: {place.label}", sum(map(place.count, trees))


def measure(checkout: Path) -> dict[str, object]:
    """Return all figures of a checkout by their labels."""
    return dict([*size_rows(checkout), *package_rows(checkout), *member_rows(checkout)])


def main(checkouts: list[Path]) -> None:
    """Print a table with one column for each checkout."""
    columns = [measure(checkout.resolve()) for checkout in checkouts]
    labels = list(dict.fromkeys(label for column in reversed(columns) for label in column))
    for label in labels:
        print(f"{label:<50}", *(f"{column.get(label, '-')!s:>8}" for column in columns))
    for checkout in checkouts:
        print(*describe_cycles(checkout.resolve()), sep="\n")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]] or [Path()])
