from collections import Counter
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from jobtrack_demo.miner.drawing import MOST_EDGES, MOST_NODES, draw, select
from jobtrack_demo.miner.layering import layers
from tests.unit.miner.logs import Row, analysis_of

SVG = "{http://www.w3.org/2000/svg}"


def path_of(*activities: str, case: str = "1") -> list[Row]:
    return [(case, activity, f"2024-01-01T00:{minute:02}:00Z") for minute, activity in enumerate(activities)]


def texts(svg: str, tag: str = "text") -> list[str | None]:
    return [text.text for text in ET.fromstring(svg).iter(f"{SVG}{tag}")]  # noqa: S314 - made here


def test_shows_activities_and_transitions_with_their_counts() -> None:
    shown = texts(draw(analysis_of(path_of("order", "pay") + path_of("order", "pay", case="2"))))
    assert shown == [
        "small.csv: 2 cases; shown are 2 of 2 activities and 1 of 1 transitions (bottlenecks in red)",
        "2",
        "order",
        "2",
        "pay",
        "2",
    ]


def test_shows_only_the_most_frequent_part() -> None:
    names = [f"activity {at}" for at in range(MOST_NODES)]
    rows = [row for at in range(9) for row in path_of(*names[at:], *names[:at], case=f"case {at}")]
    analysis = analysis_of([*rows, *path_of("rare", "rarer", case="z")])
    nodes, edges = select(analysis)
    assert {analysis.log.activity_names[node] for node in nodes} == set(names)
    assert len(edges) == MOST_NODES
    assert len(edges) < MOST_EDGES
    assert "rare" not in texts(draw(analysis))


def test_escapes_and_shortens_names() -> None:
    svg = draw(analysis_of(path_of('<b attr="1">&amp;', "bell\x07\ufffe", "長" * 99)))
    assert '<b attr="1">&amp;' in texts(svg)
    assert "bell\ufffd\ufffd" in texts(svg)
    assert "長" * 31 + "…" in texts(svg)
    assert texts(svg, "title")[-1] == "長" * 99


def test_puts_an_activity_below_the_one_it_most_often_follows() -> None:
    edges = Counter({(0, 1): 9, (1, 2): 8, (0, 2): 2, (2, 0): 7, (1, 3): 3, (4, 4): 5})
    assert layers([0, 1, 2, 3, 4], edges, Counter({0: 9, 4: 1})) == [[0, 4], [1], [2, 3]]


graphs = st.dictionaries(st.tuples(st.integers(0, 7), st.integers(0, 7)), st.integers(1, 9))


@given(graphs, st.dictionaries(st.integers(0, 7), st.integers(1, 9)))
def test_every_activity_is_in_one_layer(edges: dict[tuple[int, int], int], starts: dict[int, int]) -> None:
    rows = layers(range(8), Counter(edges), Counter(starts))
    assert sorted(node for row in rows for node in row) == list(range(8))
    assert all(rows)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_any_name_gives_well_formed_svg(names: list[str]) -> None:
    rows: list[Row] = [("1", f"x{name}", f"2024-01-01T00:00:0{at}Z") for at, name in enumerate(names)]
    assert len(texts(draw(analysis_of(rows)), "title")) == len(set(names))
