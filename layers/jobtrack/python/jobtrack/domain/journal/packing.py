"""The stored form of values: JSON, compressed with a small trained dictionary."""

import threading
from pathlib import Path
from typing import Any, TypeVar, overload

import msgspec
import zstandard

LEVEL = 3
UNPACKED_BYTES = 16 * 1024 * 1024

_DICTIONARY = zstandard.ZstdCompressionDict(Path(__file__).with_name("packing.dictionary").read_bytes())


class _Codec(threading.local):
    """A compressor and a decompressor for each thread, since they are not thread-safe."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=_DICTIONARY, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor(dict_data=_DICTIONARY)


_codec = _Codec()

_Value = TypeVar("_Value")


def pack(value: Any) -> bytes:
    """Encode a JSON value or a struct as one compressed frame."""
    return _codec.compressor.compress(msgspec.json.encode(value))


@overload
def unpack(data: bytes, kind: type[_Value]) -> _Value: ...
@overload
def unpack(data: bytes, kind: object = ...) -> Any: ...
def unpack(data: bytes, kind: Any = Any) -> Any:
    """Decode the result of `pack`, as a value of the given type.

    Raises:
        msgspec.ValidationError: the data is not of this type.
    """
    text = _codec.decompressor.decompress(data, max_output_size=UNPACKED_BYTES)
    return msgspec.json.decode(text, type=kind)
