"""A layered layout: each node is one layer below the node that it follows most often."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from jobtrack_demo.miner.discovery import Edge


def layers(nodes: Sequence[int], edges: Counter[Edge], starts: Counter[int]) -> list[list[int]]:
    """Arrange the nodes in layers from the top down, each layer ordered by the positions of its predecessors."""
    parents = _parents(nodes, edges, starts)
    depths: dict[int, int] = {}
    for node, parent in parents.items():
        depths[node] = 0 if parent is None else depths[parent] + 1
    rows: dict[int, list[int]] = defaultdict(list)
    for node in parents:
        rows[depths[node]].append(node)
    return _ordered([rows[depth] for depth in sorted(rows)], edges)


def _parents(nodes: Sequence[int], edges: Counter[Edge], starts: Counter[int]) -> dict[int, int | None]:
    """Grow a tree by the most frequent edge that leaves it (Prim's algorithm).

    If no edge leaves it, start another tree.
    """
    placed: dict[int, int | None] = {}
    while left := [node for node in nodes if node not in placed]:
        leaving = [edge for edge in edges if edge[0] in placed and edge[1] in left]
        if leaving:
            source, target = max(leaving, key=lambda edge: (edges[edge], -edge[0], -edge[1]))
            placed[target] = source
        else:
            placed[max(left, key=lambda node: (starts[node], -node))] = None
    return placed


def _ordered(rows: list[list[int]], edges: Counter[Edge]) -> list[list[int]]:
    ordered: list[list[int]] = []
    for row in rows:
        above = {node: _centred(at, len(ordered[-1])) for at, node in enumerate(ordered[-1])} if ordered else {}
        ordered.append(sorted(row, key=lambda node: _barycentre(node, above, edges)))
    return ordered


def _centred(at: int, length: int) -> float:
    return at - (length - 1) / 2


def _barycentre(node: int, above: dict[int, float], edges: Counter[Edge]) -> float:
    weights = {other: edges[other, node] + edges[node, other] for other in above}
    total = sum(weights.values())
    return sum(above[other] * weight for other, weight in weights.items()) / total if total else 0.0
