"""The SQLite engine responds as DynamoDB Local does, to every request and with every error.

The full proof compares 20,000 requests: half of any shape and hostile ones, half of the shapes that the layer sends.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine import layer_requests, operations
from tests.engine.comparing import RANDOM, Pair
from tests.engine.operations import Request
from tests.engine.shapes import layer_shapes
from tests.prove.scale import repeats

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

REQUESTS = repeats(20_000)
AT_ONCE = 20
"""Sequences in one step of the proof, which goes on until it has compared enough requests."""


@pytest.fixture(scope="module")
def pair(candidate: "DynamoDBClient", reference: "DynamoDBClient") -> Pair:
    for client in (candidate, reference):
        client.create_table(**operations.DEFINITION)
    return Pair(candidate, reference)


@pytest.mark.parametrize("requests", [operations.requests, layer_requests.requests], ids=["any shape", "the layer's"])
def test_every_response_is_the_same(
    pair: Pair, requests: st.SearchStrategy[Request], record_property: Callable[[str, object], None]
) -> None:
    enough = pair.total + REQUESTS // 2

    @settings(RANDOM, max_examples=AT_ONCE)
    @given(operations.sequences(requests))
    def compare(sequence: Sequence[Request]) -> None:
        pair.compare_all(sequence)

    while pair.total < enough:
        compare()
    record_property("figure", pair.figures())


@pytest.mark.parametrize("shape", layer_shapes())
def test_each_shape_of_the_layer_is_compared(pair: Pair, shape: str) -> None:
    @settings(RANDOM, max_examples=repeats(100))
    @given(operations.sequences(layer_requests.requests_of(shape)))
    def compare(sequence: Sequence[Request]) -> None:
        pair.compare_all(sequence)

    compare()
