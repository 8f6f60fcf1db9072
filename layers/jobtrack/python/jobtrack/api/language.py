"""The language of descriptions, as the client prefers it."""

from collections.abc import Iterable

from fastapi import Request

from jobtrack.domain.event_text import DEFAULT_LANGUAGE, LANGUAGES, Language


def language(request: Request) -> Language:
    """Return the available language with the greatest weight in Accept-Language, by default Japanese.

    If several languages have this weight, the first of them is returned.
    """
    ranges = [_parse(part) for part in ",".join(request.headers.getlist("accept-language")).split(",")]
    weights = [(language, weight) for name, weight in ranges for language in _matches(name, ranges) if weight > 0]
    return max(weights, key=lambda pair: pair[1], default=(DEFAULT_LANGUAGE, 1.0))[0]


def _matches(name: str, ranges: Iterable[tuple[str, float]]) -> list[Language]:
    """Return the available languages that a range matches; `*` matches those that no other range names.

    RFC 4647, 3.3.1.
    """
    if name != "*":
        return [language for language in LANGUAGES if language == name]
    named = {other for other, _ in ranges}
    return sorted(LANGUAGES - named, key=lambda language: language != DEFAULT_LANGUAGE)


def _parse(part: str) -> tuple[str, float]:
    """Return a language range's first subtag and its weight; a malformed range has the weight 0."""
    name, _, parameter = part.partition(";")
    weight = parameter.strip().lower().removeprefix("q=") or "1"
    try:
        return name.strip().lower().partition("-")[0], float(weight)
    except ValueError:
        return "", 0.0
