from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack import limits, times
from jobtrack.domain.journal.chunks import Chunk, pack_chunk, place_of, unpack_chunk
from jobtrack.domain.journal.journal import Journal, StoredJournal
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.domain.journal.records import LEVELS, Family, Record
from jobtrack.domain.journal.sequence_index import RESIDENCE
from jobtrack.times import Micros
from tests.unit.job_builders import START


def line(sequence: int, seconds: float, text: str = "x", family: Family = Family.INFO) -> Record:
    return Record(family, Micros(START + round(seconds * times.SECOND)), sequence, [text])


def noise(sequence: int, size: int) -> str:
    """Return text that does not compress."""
    import random

    rng = random.Random(sequence)
    return "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(size))


def test_a_few_lines_stay_in_the_tail() -> None:
    journal = Journal()
    assert journal.append([line(1, 0), line(2, 1)], 2) == []
    assert len(journal.packed_tail()) <= limits.TAIL_BYTES


def test_a_full_tail_seals_its_densest_family() -> None:
    journal = Journal()
    rare = line(1, 0, noise(0, 50), Family.ERROR)
    chunks = journal.append([rare, *(line(2 + index, index, noise(index, 50)) for index in range(40))], 41)
    assert {chunk.kind for chunk in chunks} == {"In"}
    assert journal.tail == [rare]


def test_late_lines_are_cut_off_from_the_present_ones() -> None:
    journal = Journal()
    late = [line(1 + index, -7200 + index, noise(index, 100)) for index in range(5)]
    present = [line(10 + index, index, noise(index + 50, 100)) for index in range(20)]
    chunks = journal.append([*late, *present], 29)
    assert [
        [record.sequence for record in chunk.records] for chunk in sorted(chunks, key=lambda each: each.sort_key)
    ] == [
        [record.sequence for record in late],
        [record.sequence for record in present],
    ]
    assert {chunk.kind for chunk in chunks} == {"In"}


def test_lines_spread_over_minutes_make_a_wide_chunk() -> None:
    journal = Journal()
    chunks = journal.append((line(1 + index, index * 10, noise(index, 50)) for index in range(30)), 30)
    assert {chunk.kind for chunk in chunks} == {"Iw"}
    assert journal.directory["Iw"].span == 290 * times.SECOND


def test_a_sparse_family_has_one_kind_of_chunk() -> None:
    journal = Journal()
    chunks = journal.append((line(1 + index, index * 10, noise(index, 50), Family.ERROR) for index in range(30)), 30)
    assert {chunk.kind for chunk in chunks} == {"En"}


def test_a_chunk_is_cut_to_fit_an_item() -> None:
    journal = Journal()
    chunks = journal.append((line(1 + index, index / 1000, noise(index, 10_000)) for index in range(60)), 60)
    assert len(chunks) > 1
    assert all(len(pack_chunk(chunk)) <= limits.CHUNK_BYTES for chunk in chunks)


@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.integers(1, limits.EVENTS)), max_size=60))
def test_no_line_waits_longer_than_the_index_by_sequence_counts_on(batches: list[tuple[Family, int]]) -> None:
    journal, sequence = Journal(), 0
    for family, size in batches:
        sequence += size
        journal.append([line(sequence, sequence / 10, "x", family)], sequence)
        assert all(record.sequence > sequence - RESIDENCE for record in journal.tail)
    for entry in journal.index.entries:
        assert entry.first <= entry.last <= entry.sealed_at < entry.first + RESIDENCE + limits.EVENTS


families = st.sampled_from(Family)
records = st.builds(
    lambda family, time, text: (family, time, [text]),
    families,
    st.integers(-times.DAY, times.DAY),
    st.text(max_size=80),
)


@settings(max_examples=60)
@given(st.lists(st.lists(records, max_size=30), max_size=8))
def test_whatever_is_appended_is_in_the_tail_or_in_one_chunk(
    batches: list[list[tuple[Family, int, list[str]]]],
) -> None:
    journal, sequence, given_records, chunks = Journal(), 0, [], list[Chunk]()
    for batch in batches:
        appended = [
            Record(family, Micros(START + time), sequence + index, body)
            for index, (family, time, body) in enumerate(batch, 1)
        ]
        sequence += len(batch)
        given_records += appended
        chunks += journal.append(appended, sequence)
        journal = Journal.load(unpack(pack(journal.stored()), StoredJournal), journal.packed_tail())
    stored = [record for chunk in chunks for record in unpack_chunk(chunk.kind, pack_chunk(chunk))]
    assert sorted([*stored, *journal.tail], key=lambda record: record.sequence) == given_records
    assert len({chunk.sort_key for chunk in chunks}) == len(chunks)
    assert all(journal.count(family) == sum(record.family is family for record in given_records) for family in Family)
    for chunk in chunks:
        shelf, places = journal.directory[chunk.kind], [record.place for record in chunk.records]
        assert places == sorted(places)
        assert shelf.first <= places[0][0] <= places[-1][0] <= shelf.last
        assert places[-1][0] - places[0][0] <= shelf.span
        assert place_of(chunk.sort_key) == (places[-1][0], min(sequence for _, sequence in places))


@given(st.lists(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999), min_size=2, max_size=2, unique=True))
def test_keys_sort_as_times_do(moments: list[int]) -> None:
    first, second = (
        Chunk("In", [Record(Family.INFO, Micros(moment), 1, ["x"])]).sort_key for moment in sorted(moments)
    )
    assert first < second
