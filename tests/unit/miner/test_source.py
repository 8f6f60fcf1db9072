import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from jobtrack_demo.miner.source import Columns, InputError, Source, flights

COLUMNS = Columns("case", ("what", "who"), "when")
LOG = """case,what,who,when,note
1,pack,Ann,2024-01-01,"a, ""b""
c"

2,ship,,2024-01-02,
3,too,few
NA,x,y,2024-01-03,z
"""


def rows(source: Source, size: int = 100) -> list[list[object]]:
    frames = [chunk.frame.astype(object) for chunk in source.chunks(size)]
    return [row for frame in frames for row in frame.where(frame.notna(), None).values.tolist()]


def written(path: Path, content: str) -> Source:
    path.write_text(content, encoding="utf-8")
    return Source(path, COLUMNS)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_reads_every_record_once_whatever_the_chunks(tmp_path: Path, size: int) -> None:
    source = written(tmp_path / "log.csv", LOG)
    assert rows(source, size) == [
        ["1", "pack→Ann", "2024-01-01"],
        ["2", None, "2024-01-02"],
        [None, "x→y", "2024-01-03"],
    ]
    chunks = list(source.chunks(size))
    assert [number for chunk in chunks for number in chunk.malformed] == [3]
    assert [number for chunk in chunks for number in chunk.frame.index] == [1, 2, 4]
    assert source.survey() == sum(chunk.records for chunk in chunks) == 4


def test_reads_zip_gzip_and_a_byte_order_mark(tmp_path: Path) -> None:
    plain = written(tmp_path / "log.csv", LOG)
    (tmp_path / "marked.csv").write_text(LOG, encoding="utf-8-sig")
    with gzip.open(tmp_path / "log.csv.gz", "wt", encoding="utf-8") as packed:
        packed.write(LOG)
    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        archive.writestr("inside.csv", LOG)
    for name in ("marked.csv", "log.csv.gz", "log.zip"):
        assert rows(Source(tmp_path / name, COLUMNS)) == rows(plain)


def bad_zip(path: Path) -> None:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.writestr("a.csv", LOG)
        archive.writestr("b.csv", LOG)


BAD: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "empty.csv is empty"),
    "header.csv": (b"case,what,who,when\n", "header.csv has a header but no records"),
    "garbage.csv": (
        b"%%% not a log %%%\n1,2\n",
        "garbage.csv has no column 'case'; its first line has: %%% not a log %%%",
    ),
    "twice.csv": (b"case,what,who,when,case\n", "twice.csv has more than one column 'case'; its first line has: "),
    "binary.csv": (b"\0\1\2\0,x\n", "binary.csv is a binary file, not CSV text"),
    "latin.csv": (b"case,what,who,when\nZ\xfcrich,a,b,c\n", "latin.csv is not UTF-8 text"),
    "quote.csv": (b'case,what,who,when\n"open,a,b,c\n', "quote.csv is not well-formed CSV: unexpected end of data"),
    "long.csv": (b"case,what,who,when\n" + b"x" * 200_000 + b"\n", "long.csv is not well-formed CSV: field larger"),
    "not.zip": (b"PK?", "not.zip is a damaged archive"),
    "cut.csv.gz": (gzip.compress(LOG.encode() * 99)[:60], "cut.csv.gz is a damaged archive"),
    "plain.csv.gz": (LOG.encode(), "cannot read .*plain.csv.gz: Not a gzipped file"),
}


@pytest.mark.parametrize("name", BAD)
def test_names_what_is_wrong_with_a_file_in_one_line(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    source = Source(tmp_path / name, COLUMNS)
    with pytest.raises(InputError, match=message) as caught:
        source.survey()
    assert "\n" not in str(caught.value)


def missing(path: Path) -> None:
    assert not path.exists()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(("make", "message"), [(missing, "No such file"), (folder, "not a regular file")])
def test_names_a_file_that_cannot_be_opened(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    make(tmp_path / "log.csv")
    with pytest.raises(InputError, match=f"cannot read .*log.csv: {message}"):
        Source(tmp_path / "log.csv", COLUMNS).survey()


def test_refuses_an_archive_of_two_files(tmp_path: Path) -> None:
    bad_zip(tmp_path / "log.zip")
    with pytest.raises(InputError, match=r"log\.zip must hold one file, not 2"):
        Source(tmp_path / "log.zip", COLUMNS).survey()


def test_shortens_and_escapes_a_long_first_line(tmp_path: Path) -> None:
    source = written(tmp_path / "log.csv", "\x1b[31mé" + "x" * 500 + "\n")
    with pytest.raises(InputError) as caught:
        source.survey()
    assert "\\x1b[31m\\xe9xxx" in str(caught.value)
    assert str(caught.value).endswith("…")
    assert len(str(caught.value)) < 200


def test_the_default_log_is_the_flights_of_2013() -> None:
    source = flights()
    first = next(source.chunks(1))
    assert first.frame.values.tolist() == [["N14228", "EWR→IAH", "2013-01-01T10:00:00Z"]]
    assert source.survey() == 336_776
