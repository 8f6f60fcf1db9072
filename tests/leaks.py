"""Find a secret in texts that were printed, returned, stored or queued, in any encoding."""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import quote, unquote_to_bytes

import msgspec
import orjson
import zstandard

from jobtrack.domain.journal import packing

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


def forms(secret: bytes) -> set[bytes]:
    """Return the forms of a secret: plain, hex, base64 at any offset, URL, JSON and Python's repr."""
    hexed = secret.hex().encode()
    found = {secret, hexed, hexed.upper(), repr(secret)[2:-1].encode()}
    found |= {part for place in range(3) for part in _in_base64(secret, place)}
    found |= {quote(secret, safe=safe).encode() for safe in ("", "/")}
    if secret.isascii():
        found.add(json.dumps(secret.decode())[1:-1].encode())
    return found


def _in_base64(secret: bytes, place: int) -> Iterator[bytes]:
    """Return the base64 characters that depend on the secret alone when `place` bytes precede it."""
    text = base64.b64encode(bytes(place) + secret)[-(-place * 8 // 6) : (place + len(secret)) * 8 // 6]
    yield text
    yield text.translate(bytes.maketrans(b"+/", b"-_"))


def needles(secret: str) -> set[bytes]:
    """Return what must not be found: a signing secret without its prefix and as key bytes, a token as a whole."""
    if secret.startswith("whsec_"):
        text = secret.removeprefix("whsec_")
        return forms(text.encode()) | forms(base64.b64decode(text))
    return forms(secret.encode())


def leaked(secrets: Iterable[str], texts: Iterable[bytes]) -> list[str]:
    """Return the secrets that any of the texts contains."""
    held = b"\n".join(layer for text in texts for layer in layers(text))
    plain = unquote_to_bytes(held)
    return [secret for secret in secrets if any(needle in held or needle in plain for needle in needles(secret))]


def layers(data: bytes) -> Iterator[bytes]:
    """Yield the bytes and everything packed in them, recursively."""
    yield data
    for inner in _unpacked(data):
        yield from layers(inner)
    for found in _BASE64.findall(data) if len(data) < 2**20 else ():
        try:
            inner = base64.b64decode(found + b"=" * (-len(found) % 4), validate=True)
        except binascii.Error:
            continue
        for unpacked in _unpacked(inner):
            yield from layers(unpacked)


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\x1f\x8b"):
        with suppress(zlib.error):
            yield zlib.decompressobj(wbits=31).decompress(data)
    try:
        yield orjson.dumps(packing.unpack(data))
    except (zstandard.ZstdError, msgspec.DecodeError):
        return
