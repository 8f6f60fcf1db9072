"""ETags of responses about jobs: a client that has the current response gets 304 without a body.

The tag is weak. It identifies the versions of the jobs, the query and the language. It does not change as time passes.
It need not contain the path, since a client sends a tag only to the path that returned it.
"""

import hashlib
import re

from fastapi import Request, Response

from jobtrack.api.language import language
from jobtrack.domain.job import Job

_TAG = re.compile(r'(?:W/)?("[^"]*")')


class NotModified(Exception):
    """The client has the current response, which has this ETag."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag

    def response(self) -> Response:
        """Return the response 304, which has no body."""
        return Response(status_code=304, headers=_headers(self.tag))


def etag_headers(request: Request, *jobs: Job) -> dict[str, str]:
    """Return the headers of a response about these jobs, with its ETag.

    Raises:
        NotModified: If-None-Match names the ETag. The route returns 304.
    """
    versions = sorted(f"{job.job_id} {job.created_at} {job.sequence}" for job in jobs)
    content = "\n".join([request.url.query, language(request), *versions])
    tag = f'W/"{hashlib.sha256(content.encode()).hexdigest()[:24]}"'
    if _matches(",".join(request.headers.getlist("if-none-match")), tag):
        raise NotModified(tag)
    return _headers(tag)


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Language"}


def _matches(if_none_match: str, tag: str) -> bool:
    """Return whether If-None-Match names the tag, by the weak comparison of RFC 9110, 13.1.2."""
    return if_none_match.strip() == "*" or tag.removeprefix("W/") in _TAG.findall(if_none_match)
