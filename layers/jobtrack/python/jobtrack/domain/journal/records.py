"""The records of a journal, and their stored form."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from jobtrack.times import Micros


class Family(StrEnum):
    """The records that are read together: log lines of one severity, one kind of timeline entry, or metrics."""

    DEBUG = "D"
    INFO = "I"
    WARN = "W"
    ERROR = "E"
    PROGRESS = "P"
    MINUTE_PROGRESS = "Q"
    EVENT = "T"
    METRIC_MINUTE = "M"


LogLevel = Literal["DEBUG", "INFO", "WARN", "ERROR"]
LEVELS = (Family.DEBUG, Family.INFO, Family.WARN, Family.ERROR)
"""The severities of log lines, in ascending order."""


class Record(NamedTuple):
    """An entry of the journal; the form of the body depends on the family."""

    family: Family
    time: Micros
    sequence: int
    body: Any

    @property
    def place(self) -> tuple[int, int]:
        """The key that sorts records by time."""
        return self.time, self.sequence


Row = tuple[int, int, Any]
"""A stored record: the differences of time and sequence from the record before, and the body."""


def encode_rows(records: Sequence[Record]) -> list[Row]:
    """Return the stored form of records of one family. Small differences compress well."""
    rows: list[Row] = []
    time = sequence = 0
    for record in records:
        rows.append((record.time - time, record.sequence - sequence, record.body))
        time, sequence = record.place
    return rows


def decode_rows(family: Family, rows: Sequence[Row]) -> list[Record]:
    """Return the records from their stored form."""
    records, time, sequence = [], 0, 0
    for time_step, sequence_step, body in rows:
        time, sequence = time + time_step, sequence + sequence_step
        records.append(Record(family, Micros(time), sequence, body))
    return records
