"""Events stay within the contract's limits, whatever the worker passes."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from traceback import format_exception
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack_client._reporting.queued_events import Rank, describe_error, make_event, make_line, snapshot
from jobtrack_client._values.json_values import plain
from jobtrack_client._values.shorten import EVENT_BYTES, MESSAGE_BYTES, NAME_CHARACTERS, cut, dumps, short_name, squeeze

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
MARK = re.compile(r"… \[([0-9,]+) characters cut\] …")
any_text = st.text(st.characters(), max_size=50)


def made(type_: str, time: float = 0, **data: object) -> dict[str, Any]:
    body = make_event(type_, data, time).body
    assert len(body) <= EVENT_BYTES
    parsed: dict[str, Any] = json.loads(body)
    return parsed


def test_an_event_has_its_type_time_and_what_is_known() -> None:
    event = made("log", 1_700_000_000.25, level="INFO", message="読み込み", component=None)
    assert event == {
        "type": "log",
        "time": "2023-11-14T22:13:20.250000Z",
        "data": {"level": "INFO", "message": "読み込み"},
    }


def test_an_event_without_data_has_none() -> None:
    assert made("heartbeat") == {"type": "heartbeat", "time": "1970-01-01T00:00:00Z"}


@given(details=st.dictionaries(st.text(), json_values))
def test_details_of_json_arrive_as_they_are_but_for_what_json_cannot_hold(details: dict[str, Any]) -> None:
    arrived = made("log", level="INFO", message="", details=details)["data"]["details"]
    assert json.dumps(arrived, allow_nan=False)
    assert len(arrived) == len(details)


@given(text=any_text, times=st.integers(1, 3000), limit=st.integers(100, MESSAGE_BYTES))
def test_a_text_is_cut_to_its_bytes_with_a_mark(text: str, times: int, limit: int) -> None:
    long = text * times
    short = cut(long, limit)
    assert len(short.encode("utf-8", "replace")) <= limit
    if short != long:
        head, missing, tail = MARK.split(short)
        assert long.encode("utf-8", "replace").startswith(head.encode())
        assert long.encode("utf-8", "replace").endswith(tail.encode())
        assert len(head) + int(missing.replace(",", "")) + len(tail) == len(long)
    if len(long.encode("utf-8", "replace")) <= limit:
        assert short == long


@pytest.mark.parametrize("character", ["x", "語", "😀", "\x00", '"', "\ud800"])
def test_a_huge_message_is_shortened_with_a_mark(character: str) -> None:
    message = made("log", level="INFO", message=character * 200_000)["data"]["message"]
    assert len(message.encode()) <= MESSAGE_BYTES
    assert MARK.search(message)
    assert message.endswith(character.encode("utf-8", "replace").decode())


def test_a_long_name_is_shortened() -> None:
    component = made("log", level="INFO", message="", component="c" * 300)["data"]["component"]
    assert component == "c" * 150 + "… [150 characters cut, 5c62c843]"


@given(text=any_text, times=st.integers(1, 300), ends=st.tuples(any_text, any_text))
def test_names_that_differ_still_do_when_they_are_shortened(text: str, times: int, ends: tuple[str, str]) -> None:
    one, other = (text * times + end for end in ends)
    assert len(short_name(one)) <= NAME_CHARACTERS
    assert short_name(short_name(one)) == short_name(one)
    assert (short_name(one) == short_name(other)) == (one == other)


def failing(message: str, frames: int) -> None:
    if frames:
        failing(message, frames - 1)
    elif message:
        raise KeyError(message)


def traceback_of(depth: int, *messages: str) -> str:
    """Errors that are each the cause of the next."""
    cause: BaseException | None = None
    for message in messages:
        try:
            try:
                failing(message, depth)
            except KeyError as error:
                raise ValueError(f"after {message}") from (cause or error)
        except ValueError as error:
            cause = error
    assert cause is not None
    # Python shortens repeated calls.
    return "".join(format_exception(cause)).replace(
        "  [Previous line", "  File 'x', line 1\n" * 100 * depth + "  [Previous"
    )


@pytest.mark.parametrize("depth", [10, 40])
def test_a_long_traceback_keeps_its_end_and_its_causes(depth: int) -> None:
    text = traceback_of(depth, "one", "two", "three")
    assert len(text) > 18_000
    for made_of in (
        made("log", level="ERROR", message="m", details={"exception": text})["data"]["details"]["exception"],
        made("log", level="ERROR", message=text * 4)["data"]["message"],
        made("jobFailed", error={"message": "m", "traceback": text * 2})["data"]["error"]["traceback"],
    ):
        assert made_of.startswith("Traceback (most recent call last):\n  File ")
        assert made_of.endswith("ValueError: after three\n")
        for line in ("ValueError: after one", "ValueError: after two"):
            assert f"\n{line}\n\nThe above exception was the direct cause" in made_of
        assert MARK.search(made_of)


def test_a_traceback_of_too_many_parts_is_cut_in_its_middle() -> None:
    text = "Traceback (most recent call last):\n" + "  x\ny\n" * 30_000
    assert len(cut(text, MESSAGE_BYTES).encode()) <= MESSAGE_BYTES
    assert cut(text, MESSAGE_BYTES).endswith("  x\ny\n")


@given(
    text=st.lists(st.sampled_from(["Traceback (most recent call last):\n", "  at 語\n", "KeyError: 😀\n", "\n"])),
    times=st.integers(1, 500),
    limit=st.integers(100, 4000),
)
def test_a_traceback_is_cut_to_its_bytes(text: list[str], times: int, limit: int) -> None:
    assert len(cut("".join(text) * times, limit).encode()) <= limit


def test_huge_details_keep_their_names() -> None:
    details = made("log", level="INFO", message="", details={"a": "x" * 50_000, "n": 1})["data"]["details"]
    assert len(dumps(details)) <= 16 * 1024
    assert details["n"] == 1
    assert details["a"].startswith("xxx")
    assert details["a"].endswith("xxx")
    assert MARK.search(details["a"])


def test_too_many_details_are_kept_as_the_beginning_of_their_text() -> None:
    details = made("log", level="INFO", message="", details={str(i): i for i in range(100_000)})["data"]["details"]
    assert details["shortened"].startswith('{"0":0,"1":1,')


@given(value=json_values, room=st.integers(300, 2000))
def test_squeezed_json_fits(value: Any, room: int) -> None:
    assert len(dumps(squeeze(plain(value), room))) <= room


@given(filler=any_text, count=st.integers(0, 3000))
@settings(deadline=None)  # the largest take a tenth of a second
def test_every_event_fits_whatever_is_in_it(filler: str, count: int) -> None:
    text = filler * count
    many: dict[str, object] = {f"{filler}{i}": filler for i in range(count)}
    made("log", level="INFO", message=text, component=text, stage=text, details={"all": text, **many})
    made("jobFailed", error=describe_error(text), metrics=many)


@given(
    level=st.sampled_from(["DEBUG", "INFO", "WARN", "ERROR"]),
    message=any_text | st.just("語" * 10_000) | st.just("\x00" * 5_000),
    names=st.tuples(st.none() | any_text, st.none() | st.just("s" * 300)),
    details=st.none() | st.dictionaries(st.text(), json_values) | st.just({"long": "x" * 20_000}),
    time=st.floats(0, 4e9),
)
@settings(deadline=None)  # as above
def test_a_line_is_the_event_that_its_members_make(
    level: str, message: str, names: tuple[str | None, str | None], details: dict[str, Any] | None, time: float
) -> None:
    component, stage = names
    members = {"level": level, "message": message, "component": component, "stage": stage, "details": details}
    event, line = make_event("log", members, time), make_line((level, message, component, stage, details, time), 7)
    assert json.loads(line.body) == json.loads(event.body)
    assert (line.rank, line.number, len(line.body)) == (event.rank, 7, len(event.body))


@pytest.mark.parametrize("value", [1, [1], {"deep": 1}])
def test_details_are_those_of_the_moment(value: object) -> None:
    details: dict[str, Any] = {"value": value}
    kept = snapshot(details)
    details["value"] = details["new"] = 0
    if isinstance(value, dict | list):
        value.clear()
    assert plain(kept) in ({"value": 1}, {"value": [1]}, {"value": {"deep": 1}})


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"in": value}
    return value


def levels(value: Any) -> int:
    return 1 + levels(value["in"]) if isinstance(value, dict) else 0


def test_32_levels_are_kept_and_what_is_deeper_is_text() -> None:
    assert plain(nested(32)) == nested(32)
    assert levels(plain(nested(33))) == 32
    assert levels(plain(nested(100_000))) == 32


class Sulky:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (2**63 - 1, 2**63 - 1),
        (2**70, str(2**70)),
        (True, True),
        (Decimal("5.75"), 5.75),
        (np.int64(7), 7),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.array([1, 2]), [1, 2]),
        ({1: (2, {3})}, {"1": [2, [3]]}),
        (datetime(2024, 1, 20, tzinfo=UTC), "2024-01-20T00:00:00+00:00"),
        (Sulky(), "<Sulky>"),
        (Decimal("sNaN"), "sNaN"),
        (Fraction(10**400, 3), str(Fraction(10**400, 3))),
    ],
)
def test_any_value_becomes_json(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_an_integer_too_long_to_be_written_is_told_by_its_type() -> None:
    assert plain(10**5000) == "<int>"


@pytest.mark.parametrize(
    ("type_", "level", "rank"),
    [
        ("log", "DEBUG", Rank.DEBUG),
        ("log", "INFO", Rank.ROUTINE),
        ("log", "WARN", Rank.WARN),
        ("log", "ERROR", Rank.NOTABLE),
        ("progressUpdate", None, Rank.ROUTINE),
        ("metricSample", None, Rank.ROUTINE),
        ("milestone", None, Rank.NOTABLE),
        ("stageStarted", None, Rank.LIFECYCLE),
        ("jobCompleted", None, Rank.LIFECYCLE),
        ("blocked", None, Rank.LIFECYCLE),
    ],
)
def test_how_dear_an_event_is(type_: str, level: str | None, rank: Rank) -> None:
    assert make_event(type_, {"level": level}, 0).rank is rank


def test_an_error_is_told_by_its_text_or_its_type() -> None:
    assert describe_error(ValueError("broken")) == {"message": "broken", "type": "ValueError"}
    assert describe_error(KeyError()) == {"message": "KeyError", "type": "KeyError"}
    assert describe_error("told") == {"message": "told"}
    message = made("jobFailed", error=describe_error(ValueError("x" * 50_000)))["data"]["error"]["message"]
    assert MESSAGE_BYTES - 10 < len(message.encode()) <= MESSAGE_BYTES
