"""Compact bytes for what is stored together: JSON, compressed with a small trained dictionary."""

import threading
from pathlib import Path
from typing import Any

import orjson
import zstandard

LEVEL = 3
UNPACKED_BYTES = 16 * 1024 * 1024

_DICTIONARY = zstandard.ZstdCompressionDict(Path(__file__).with_name("packing.dictionary").read_bytes())


class _Codec(threading.local):
    """One compressor and one decompressor a thread: shared between threads they crash."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=_DICTIONARY, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor(dict_data=_DICTIONARY)


_codec = _Codec()


def pack(value: Any) -> bytes:
    """Encode a JSON value (dataclasses too) as one compressed frame."""
    return _codec.compressor.compress(orjson.dumps(value))


def unpack(data: bytes) -> Any:
    """Decode what `pack` made."""
    return orjson.loads(_codec.decompressor.decompress(data, max_output_size=UNPACKED_BYTES))
