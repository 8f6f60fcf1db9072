"""ETags of answers about jobs: an answer is not made again for a client that knows all that it would tell."""

import hashlib
import re

from fastapi import Request, Response

from jobtrack.api.language import language
from jobtrack.domain.job import Job

_TAG = re.compile(r'(?:W/)?("[^"]*")')


class Known(Exception):
    """The client has the answer; `tag` names it."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag

    def answer(self) -> Response:
        """304, without a body."""
        return Response(status_code=304, headers=_headers(self.tag))


def unless_known(request: Request, *jobs: Job) -> dict[str, str]:
    """The headers of an answer that shows these jobs, with its ETag.

    The tag is weak: it says what was reported, not how far the clock ran on. It is made of the jobs' versions, the
    query and the language; of the path it says nothing, since a client asks with a tag of the same path.

    Raises:
        Known: the request's If-None-Match names the answer; the route answers 304.
    """
    versions = sorted(f"{job.job_id} {job.created_at} {job.sequence}" for job in jobs)
    seen = "\n".join([request.url.query, language(request), *versions])
    tag = f'W/"{hashlib.sha256(seen.encode()).hexdigest()[:24]}"'
    if _names(",".join(request.headers.getlist("if-none-match")), tag):
        raise Known(tag)
    return _headers(tag)


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Language"}


def _names(field: str, tag: str) -> bool:
    """Whether If-None-Match names the tag, by the weak comparison of RFC 9110, 13.1.2."""
    return field.strip() == "*" or tag.removeprefix("W/") in _TAG.findall(field)
