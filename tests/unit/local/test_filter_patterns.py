"""Which records of a stream reach a function."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_local.errors import LocalError
from jobtrack_local.template.filter_patterns import Pattern, any_match

OUTBOX = '{"eventName":["INSERT"],"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"O#"}]}}}}'


def record(event_name: str, sk: str) -> dict[str, object]:
    return {"eventName": event_name, "dynamodb": {"Keys": {"pk": {"S": "p"}, "sk": {"S": sk}}}}


@given(event_name=st.sampled_from(["INSERT", "MODIFY", "REMOVE"]), sk=st.text() | st.text().map("O#".__add__))
def test_a_record_passes_if_every_field_has_a_listed_value(event_name: str, sk: str) -> None:
    assert Pattern(OUTBOX).matches(record(event_name, sk)) == (event_name == "INSERT" and sk.startswith("O#"))


@given(values=st.lists(st.text(), min_size=1), value=st.text())
def test_one_of_the_listed_values_is_enough(values: list[str], value: str) -> None:
    tree = Pattern(json.dumps({"a": values}))
    assert tree.matches({"a": value}) == (value in values)


def test_a_field_that_is_missing_or_of_another_shape_does_not_pass() -> None:
    pattern = Pattern(OUTBOX)
    assert not pattern.matches({"eventName": "INSERT"})
    assert not pattern.matches({"eventName": "INSERT", "dynamodb": "O#"})
    assert not pattern.matches({"eventName": "INSERT", "dynamodb": {"Keys": {"sk": {"N": "1"}}}})


def test_one_pattern_of_several_is_enough_and_none_lets_all_through() -> None:
    either = [Pattern('{"a":["x"]}'), Pattern('{"a":["y"]}')]
    assert any_match(either, {"a": "y"})
    assert not any_match(either, {"a": "z"})
    assert any_match([], {"a": "z"})


def test_the_prefix_of_a_field_is_known() -> None:
    assert Pattern(OUTBOX).prefix("dynamodb", "Keys", "sk", "S") == "O#"
    assert Pattern(OUTBOX).prefix("dynamodb", "Keys", "pk", "S") == ""
    assert Pattern(OUTBOX).prefix("eventName") == ""


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a":[{"exists":true}]}', '{"a":[1]}', '{"a":[]}', '{"a":"x"}', '{"a":[{"prefix":"x","y":1}]}']
)
def test_a_rule_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(LocalError):
        Pattern(text)
