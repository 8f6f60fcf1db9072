"""The event log in memory: 16 bytes per event, each name stored once."""

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from jobtrack_demo.miner.source import Chunk, InputError

Codes: TypeAlias = npt.NDArray[np.int32]
Micros: TypeAlias = npt.NDArray[np.int64]

MISSING_TIME = int(np.iinfo(np.int64).min)
UNREADABLE_TIME = MISSING_TIME + 1
FIRST_TIME, LAST_TIME = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999
DATE = r"\d{4}-?\d{2}-?\d{2}"


class Cause(IntEnum):
    """Why a record is excluded from the analysis; the first cause that applies."""

    NONE = 0
    MALFORMED = 1
    NO_CASE = 2
    NO_ACTIVITY = 3
    NO_TIME = 4
    UNREADABLE_TIME = 5


@dataclass
class Vocabulary:
    """Names and their codes, in order of first appearance. The code -1 is a missing name."""

    codes: dict[str, int] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names, each at the index of its code."""
        return list(self.codes)

    def encode(self, texts: pd.Series) -> Codes:
        """Convert text to codes, and add new names."""
        local, uniques = pd.factorize(texts)
        known = [self.codes.setdefault(name, len(self.codes)) for name in uniques]
        return np.append(np.asarray(known, dtype=np.int32), np.int32(-1))[local]


def parse_times(texts: pd.Series) -> Micros:
    """Parse ISO 8601 times with any offset (default UTC) to µs since 1970, or MISSING_TIME or UNREADABLE_TIME."""
    dated = texts.where(texts.str.match(DATE))
    parsed = _parsed(dated)
    if parsed.dt.unit == "ns":  # nanoseconds end in 2262: one long fraction must not make the others unreadable
        parsed = _parsed(dated.str.replace(r"(\.\d{6})\d+", r"\1", regex=True))
    micros = parsed.dt.as_unit("us").to_numpy(dtype="datetime64[us]").astype(np.int64)
    readable = parsed.notna() & (micros >= FIRST_TIME) & (micros <= LAST_TIME)
    return np.where(readable, micros, np.where(texts.isna(), MISSING_TIME, UNREADABLE_TIME))


def _parsed(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")


@dataclass(frozen=True)
class Part:
    """The coded records of one chunk, in file order. A malformed record has only its number."""

    cases: Codes
    activities: Codes
    times: Micros
    numbers: npt.NDArray[np.int64]
    malformed: list[int]

    @property
    def records(self) -> int:
        """The number of records of the file in this part."""
        return len(self.cases) + len(self.malformed)

    def causes(self) -> npt.NDArray[np.int8]:
        """Return the Cause of each record that is not malformed."""
        conditions = [self.cases < 0, self.activities < 0, self.times == MISSING_TIME, self.times == UNREADABLE_TIME]
        choices = [Cause.NO_CASE, Cause.NO_ACTIVITY, Cause.NO_TIME, Cause.UNREADABLE_TIME]
        return np.select(conditions, [np.int8(choice) for choice in choices], np.int8(Cause.NONE))

    def checked(self) -> "Checked":
        """Split the valid records from the excluded ones."""
        causes = self.causes()
        valid = causes == Cause.NONE
        excluded = Counter({Cause(code): count for code, count in Counter(causes[~valid].tolist()).items()})
        excluded[Cause.MALFORMED] += len(self.malformed)
        kept = Part(self.cases[valid], self.activities[valid], self.times[valid], self.numbers[valid], [])
        return Checked(kept, +excluded, sorted([*self.numbers[~valid].tolist(), *self.malformed]))


@dataclass(frozen=True)
class Checked:
    """The valid records of a part, and the record numbers of the excluded ones by cause."""

    valid: Part
    excluded: Counter[Cause]
    numbers: list[int]


@dataclass
class Loader:
    """Converts chunks of text to coded parts with common vocabularies."""

    cases: Vocabulary = field(default_factory=Vocabulary)
    activities: Vocabulary = field(default_factory=Vocabulary)

    def encode(self, chunk: Chunk) -> Part:
        """Convert the next chunk of the file."""
        frame = chunk.frame
        codes = (self.cases.encode(frame["case"]), self.activities.encode(frame["activity"]))
        numbers = frame.index.to_numpy(dtype=np.int64)
        return Part(*codes, parse_times(frame["time"]), numbers, chunk.malformed)


@dataclass(frozen=True)
class EventLog:
    """Valid events ordered by case and time; simultaneous events keep the order of the file."""

    cases: Codes
    activities: Codes
    times: Micros
    activity_names: list[str]

    @classmethod
    def ordered(cls, parts: list[Part], activity_names: list[str]) -> "EventLog":
        """Sort the valid records of all parts.

        Raises:
            InputError: there are no valid records.
        """
        cases = np.concatenate([part.cases for part in parts])
        times = np.concatenate([part.times for part in parts])
        activities = np.concatenate([part.activities for part in parts])
        if len(cases) == 0:
            raise InputError("no record has a case, an activity and a readable time: nothing to analyse")
        order = np.lexsort((times, cases))
        return cls(cases[order], activities[order], times[order], activity_names)

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def bounds(self) -> npt.NDArray[np.intp]:
        """Return the first index of each case, and the end of the last case."""
        changes = np.flatnonzero(np.diff(self.cases)) + 1
        return np.concatenate(([0], changes, [len(self)]))

    def duplicates(self) -> int:
        """Return the number of events that repeat another one with the same case, activity and time."""
        frame = pd.DataFrame({"case": self.cases, "activity": self.activities, "time": self.times})
        return int(frame.duplicated().sum())
