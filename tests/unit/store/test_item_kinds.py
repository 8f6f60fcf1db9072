"""The list of item kinds: it is complete, its shapes do not overlap, and unknown formats are refused."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jobtrack.domain.journal import packing
from jobtrack.errors import UnreadableFormat
from jobtrack.store.item_kinds import FORMAT, KINDS, QUARANTINED_RECORD, SNAPSHOT, ItemKind, kind_of
from jobtrack_local.template import template

PAGE = Path(__file__).parents[3] / "docs/decisions/keys-and-indexes.md"
HEADING = re.compile(r"\*\*(\w+Table)\*\*")


def item(partition: str, sort_key: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": sort_key}, **more}


@given(st.data(), st.sampled_from([kind for kind in KINDS if kind is not QUARANTINED_RECORD]))
def test_a_key_belongs_to_one_kind(data: st.DataObject, kind: ItemKind) -> None:
    partition = data.draw(st.from_regex(kind._partition, fullmatch=True))
    sort_key = data.draw(st.from_regex(kind._sort_key, fullmatch=True))
    covering = [other for other in KINDS if other.table == kind.table and other.covers(partition, sort_key)]
    assert covering == [kind]
    assert kind_of(kind.table, item(partition, sort_key)) is kind


def test_other_keys_belong_to_no_kind() -> None:
    assert kind_of("JobsTable", item("somewhere", "else")) is None
    assert kind_of("SubscriptionsTable", item("ticket#1", "ticket")) is None


def test_every_table_and_kind_is_on_the_page_of_keys() -> None:
    table, listed = "", set()
    for line in PAGE.read_text().partition("## Item kinds today")[2].partition("\n## ")[0].splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.split("|")[1:-1]]
        if heading := HEADING.fullmatch(cells[0] if cells else ""):
            table = heading[1]
        elif table:
            listed.add((table, *cells[:3]))
    assert listed == {(kind.table, kind.name, kind.partition, kind.sort_key) for kind in KINDS}
    assert {kind.table for kind in KINDS} == set(template.load().tables)


def test_a_reader_refuses_formats_that_it_does_not_know(caplog: pytest.LogCaptureFixture) -> None:
    for stored in ({}, {FORMAT: {"N": "0"}}, {FORMAT: {"N": "2"}}):
        caplog.clear()
        with caplog.at_level(logging.ERROR), pytest.raises(UnreadableFormat):
            SNAPSHOT.check(item("t#p#j", "S", **stored))
        assert f"snapshot t#p#j S has format {stored.get(FORMAT, {}).get('N')}" in caplog.text


def test_a_reader_accepts_the_previous_format_and_the_one_that_the_next_release_writes() -> None:
    first = item("t#p#j", "S", **SNAPSHOT.stamp)
    reads_both = replace(SNAPSHOT, readable=(1, 2))
    assert reads_both.stamp == SNAPSHOT.stamp
    writes_new = replace(reads_both, format=2)
    second = item("t#p#j", "S", **writes_new.stamp)
    for release in (reads_both, writes_new):
        assert release.check(first) is first
        assert release.check(second) is second
    with pytest.raises(UnreadableFormat):
        SNAPSHOT.check(second)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_written_can_be_read(kind: ItemKind) -> None:
    assert kind.format in kind.readable


def test_a_value_that_another_dictionary_packed_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    packed = packing.pack({"a": 1})
    assert packing.unpack(packed) == {"a": 1}
    monkeypatch.setattr(packing._codec, "decompressors", {})
    with pytest.raises(UnreadableFormat):
        packing.unpack(packed)
    assert "is packed with dictionary" in caplog.text


def test_the_dictionary_has_not_changed() -> None:
    """Stored values need it: a new one gets another id."""
    assert [each.dict_id() for each in packing._DICTIONARIES] == [288820965]
