"""The search for leaked secrets finds them in every encoding."""

import base64
import gzip
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack.domain.journal import packing
from jobtrack.push.subscriptions.secrets import new_signing_secret
from tests.leaks import leaked

WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "clear": lambda text: text,
    "hex": lambda text: text.hex().encode(),
    "upper-case hex": lambda text: text.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64 for URLs": base64.urlsafe_b64encode,
    "URL": lambda text: quote(text, safe="").encode(),
    "query": lambda text: quote_plus(text).encode(),
    "JSON": lambda text: json.dumps({"is": text.decode()}).encode(),
    "printed": lambda text: repr(text).encode(),
    "gzip": gzip.compress,
    "packed": lambda text: packing.pack({"is": text.decode()}),
    "packed in base64 in JSON in gzip": lambda text: gzip.compress(
        json.dumps({"d": base64.b64encode(packing.pack(text.decode())).decode()}).encode()
    ),
}
tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=20, max_size=60)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@settings(max_examples=20)
@given(tokens, st.text("abc ", max_size=5), st.text("abc ", max_size=5))
def test_a_token_is_found(wrapping: str, token: str, before: str, after: str) -> None:
    text = WRAPPINGS[wrapping](f"{before}{token}{after}".encode())
    assert leaked([token], [b"a text", text]) == [token]


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_signing_secret_is_found(wrapping: str) -> None:
    secret = new_signing_secret()
    assert leaked([secret, new_signing_secret()], [WRAPPINGS[wrapping](secret.encode())]) == [secret]


def test_the_key_of_a_signing_secret_is_found() -> None:
    secret = new_signing_secret()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert leaked([secret], [b"\x00" + key]) == [secret]
    assert leaked([secret], [key.hex().encode()]) == [secret]


def test_others_are_not() -> None:
    assert (
        leaked(
            [new_signing_secret(), "a-token-of-some-length"], [new_signing_secret().encode(), packing.pack({"a": "b"})]
        )
        == []
    )
