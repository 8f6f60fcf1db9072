"""The language that a client would have the service's own text in."""

from collections.abc import Iterable

from fastapi import Request

from jobtrack.domain.event_text import DEFAULT_LANGUAGE, LANGUAGES


def language(request: Request) -> str:
    """Of the languages spoken here the one that Accept-Language weighs most, the first of equals; Japanese if none."""
    ranges = [_weighed(each) for each in ",".join(request.headers.getlist("accept-language")).split(",")]
    wished = [(spoken, weight) for name, weight in ranges for spoken in _meant(name, ranges) if weight > 0]
    return max(wished, key=lambda each: each[1], default=(DEFAULT_LANGUAGE, 1.0))[0]


def _meant(name: str, ranges: Iterable[tuple[str, float]]) -> list[str]:
    """The languages spoken here that a range means; `*` means those that no other range names (RFC 4647, 3.3.1)."""
    if name != "*":
        return [name] if name in LANGUAGES else []
    named = {other for other, _ in ranges}
    return sorted(LANGUAGES - named, key=lambda spoken: spoken != DEFAULT_LANGUAGE)


def _weighed(part: str) -> tuple[str, float]:
    """A language range's first subtag, and its weight; one that is not understood weighs nothing."""
    name, _, parameter = part.partition(";")
    weight = parameter.strip().lower().removeprefix("q=") or "1"
    try:
        return name.strip().lower().partition("-")[0], float(weight)
    except ValueError:
        return "", 0.0
