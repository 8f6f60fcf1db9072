"""`GET …/jobs`."""

from collections.abc import Iterable

import orjson

from jobtrack import limits
from jobtrack.domain.job import Json


def fitting(entries: Iterable[Json]) -> list[Json]:
    """As many of the page's jobs, from its begin, as an answer of Lambda's can hold; at least one."""
    size, kept = 0, list[Json]()
    for each in entries:
        text = orjson.dumps(each)
        size += len(text) + text.count(b'"') + text.count(b"\\")
        if kept and size > limits.ANSWER_BYTES:
            break
        kept.append(each)
    return kept
