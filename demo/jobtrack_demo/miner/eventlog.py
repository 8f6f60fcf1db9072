"""The event log in memory: 16 bytes an event, names kept once."""

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
    """Why a record is left out of the analysis; the first that holds."""

    NONE = 0
    MALFORMED = 1
    NO_CASE = 2
    NO_ACTIVITY = 3
    NO_TIME = 4
    UNREADABLE_TIME = 5


@dataclass
class Vocabulary:
    """Names and their codes, in order of first appearance; -1 is a missing name."""

    codes: dict[str, int] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names, each at the index of its code."""
        return list(self.codes)

    def encode(self, texts: pd.Series) -> Codes:
        """Turn text into codes, adding the new names."""
        local, uniques = pd.factorize(texts)
        known = [self.codes.setdefault(name, len(self.codes)) for name in uniques]
        return np.append(np.asarray(known, dtype=np.int32), np.int32(-1))[local]


def parse_times(texts: pd.Series) -> Micros:
    """Read ISO 8601 times with any offset (none: UTC) as µs since 1970; else MISSING_TIME or UNREADABLE_TIME."""
    dated = texts.where(texts.str.match(DATE))
    parsed = _parsed(dated)
    if parsed.dt.unit == "ns":  # nanoseconds end in the year 2262: one long fraction must not lose its neighbours
        parsed = _parsed(dated.str.replace(r"(\.\d{6})\d+", r"\1", regex=True))
    micros = parsed.dt.as_unit("us").to_numpy(dtype="datetime64[us]").astype(np.int64)
    readable = parsed.notna() & (micros >= FIRST_TIME) & (micros <= LAST_TIME)
    return np.where(readable, micros, np.where(texts.isna(), MISSING_TIME, UNREADABLE_TIME))


def _parsed(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")


@dataclass(frozen=True)
class Part:
    """The coded records of one chunk, in file order; malformed ones have only their number."""

    cases: Codes
    activities: Codes
    times: Micros
    numbers: npt.NDArray[np.int64]
    malformed: list[int]

    @property
    def records(self) -> int:
        """How many records of the file the part covers."""
        return len(self.cases) + len(self.malformed)

    def causes(self) -> npt.NDArray[np.int8]:
        """Tell for each record that is not malformed its Cause."""
        conditions = [self.cases < 0, self.activities < 0, self.times == MISSING_TIME, self.times == UNREADABLE_TIME]
        choices = [Cause.NO_CASE, Cause.NO_ACTIVITY, Cause.NO_TIME, Cause.UNREADABLE_TIME]
        return np.select(conditions, [np.int8(choice) for choice in choices], np.int8(Cause.NONE))

    def checked(self) -> "Checked":
        """Split what can be analysed from what cannot."""
        causes = self.causes()
        valid = causes == Cause.NONE
        excluded = Counter({Cause(code): count for code, count in Counter(causes[~valid].tolist()).items()})
        excluded[Cause.MALFORMED] += len(self.malformed)
        kept = Part(self.cases[valid], self.activities[valid], self.times[valid], self.numbers[valid], [])
        return Checked(kept, +excluded, sorted([*self.numbers[~valid].tolist(), *self.malformed]))


@dataclass(frozen=True)
class Checked:
    """A part's valid records, and how many others by cause with their numbers."""

    valid: Part
    excluded: Counter[Cause]
    numbers: list[int]


@dataclass
class Loader:
    """Turns chunks of text into coded parts with common vocabularies."""

    cases: Vocabulary = field(default_factory=Vocabulary)
    activities: Vocabulary = field(default_factory=Vocabulary)

    def encode(self, chunk: Chunk) -> Part:
        """Code the next chunk of the file."""
        frame = chunk.frame
        codes = (self.cases.encode(frame["case"]), self.activities.encode(frame["activity"]))
        numbers = frame.index.to_numpy(dtype=np.int64)
        return Part(*codes, parse_times(frame["time"]), numbers, chunk.malformed)


@dataclass(frozen=True)
class EventLog:
    """Valid events ordered by case and time, simultaneous ones as in the file."""

    cases: Codes
    activities: Codes
    times: Micros
    activity_names: list[str]

    @classmethod
    def ordered(cls, parts: list[Part], activity_names: list[str]) -> "EventLog":
        """Put the valid records of all parts in order; raises InputError where there is none."""
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
        """Where each case begins, and the end of the last."""
        changes = np.flatnonzero(np.diff(self.cases)) + 1
        return np.concatenate(([0], changes, [len(self)]))

    def duplicates(self) -> int:
        """How many events repeat another one of the same case, activity and time."""
        frame = pd.DataFrame({"case": self.cases, "activity": self.activities, "time": self.times})
        return int(frame.duplicated().sum())
