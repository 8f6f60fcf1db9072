"""The stored form of values: JSON, compressed with a small trained dictionary.

A compressed frame names its dictionary, so a dictionary is never changed: a better dictionary is added in front of it.
"""

import logging
import threading
from pathlib import Path
from typing import Any, TypeVar, overload

import msgspec
import zstandard

from jobtrack.errors import UnreadableFormat

logger = logging.getLogger(__name__)

LEVEL = 3
UNPACKED_BYTES = 16 * 1024 * 1024

_DICTIONARIES = (zstandard.ZstdCompressionDict(Path(__file__).with_name("packing.dictionary").read_bytes()),)
"""The first is used to compress, all of them to decompress."""


class _Codec(threading.local):
    """A compressor and decompressors for each thread, since they are not thread-safe."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=_DICTIONARIES[0], write_checksum=False)
        self.decompressors = {each.dict_id(): zstandard.ZstdDecompressor(dict_data=each) for each in _DICTIONARIES}


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
        UnreadableFormat: the dictionary is unknown.
        zstandard.ZstdError: the data is not compressed.
    """
    dictionary = zstandard.get_frame_parameters(data).dict_id
    decompressor = _codec.decompressors.get(dictionary)
    if decompressor is None:
        logger.error("a value is packed with dictionary %d; this release has %s", dictionary, [*_codec.decompressors])
        raise UnreadableFormat("A stored value is packed with a dictionary that this release lacks.")
    text = decompressor.decompress(data, max_output_size=UNPACKED_BYTES)
    return msgspec.json.decode(text, type=kind)
