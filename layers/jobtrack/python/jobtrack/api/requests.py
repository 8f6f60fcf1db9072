"""The parts of a request, parsed and checked: caller, path, body, Idempotency-Key."""

import re
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import Request
from starlette.requests import ClientDisconnect

from jobtrack import auth, limits
from jobtrack.api.schemas.fields import depth
from jobtrack.auth import Caller
from jobtrack.errors import Fault, InvalidRequest, TooLarge, Unprocessable, UnsupportedMediaType
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.store.idempotency import Idempotency, fingerprint

MOST_SUBSCRIPTIONS = "Jobtrack-Most-Subscriptions"


class JsonRequest(Request):
    """A request whose body is parsed as strict JSON: no NaN, no lone surrogates, limited nesting."""

    async def body(self) -> bytes:
        """Return the bytes of the body.

        Raises:
            TooLarge: the body is larger than the limit.
            InvalidRequest: the client disconnected before it had sent the whole body.
        """
        if not hasattr(self, "_body"):
            try:
                self._body = b"".join([chunk async for chunk in self._limited()])
            except ClientDisconnect as error:  # only without a gateway, which would wait for the whole request
                raise InvalidRequest("The body is incomplete.") from error
        return self._body

    async def _limited(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > limits.REQUEST_BYTES:
                raise TooLarge(f"A request has at most {limits.REQUEST_BYTES} bytes.")
            yield chunk

    async def json(self) -> Any:
        """Return the value of the body.

        Raises:
            InvalidRequest: the body is not JSON.
            Unprocessable: the body is nested too deeply.
        """
        if not hasattr(self, "_json"):
            self._json = _parsed(await self.body())
        return self._json

    def require_json(self) -> None:
        """Refuse a body that is compressed, or whose content type is not JSON.

        Raises:
            UnsupportedMediaType: the content type is missing or not JSON, or there is a content coding.
        """
        if self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise UnsupportedMediaType("Send the body as Content-Type: application/json.")


def _parsed(body: bytes) -> Any:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error}.") from error
    if depth(value) > limits.BODY_DEPTH:
        detail = f"must be nested at most {limits.BODY_DEPTH} levels deep"
        raise Unprocessable(f"The body {detail}.", [Fault("", detail)])
    return value


def authorize(request: Request) -> Caller:
    """Return the caller, if the token gives access to the tenant and project of the path.

    Raises:
        Unauthorized: there is no valid token.
        Forbidden: the token is for another tenant or project.
    """
    caller = auth.caller(request.scope.get("aws.event", {}), request.app.state.claims)
    caller.require_project(request.path_params["tenantId"], request.path_params["projectId"])
    return caller


def caller(request: Request) -> Caller:
    """Return the caller, whom the route has authorized."""
    authorized: Caller = request.state.caller
    return authorized


def project_key(request: Request) -> ProjectKey:
    """Return the project of the path."""
    return ProjectKey(request.path_params["tenantId"].lower(), request.path_params["projectId"].lower())


def job_key(request: Request) -> JobKey:
    """Return the job of the path."""
    owner = project_key(request)
    return owner.job_key(request.path_params["jobId"].lower())


def subscription_id(request: Request) -> str:
    """Return the subscription of the path."""
    return str(request.path_params["subscriptionId"]).lower()


def most_subscriptions(request: Request) -> int:
    """Return how many live subscriptions the job may have, including the new one.

    It is the contract's limit, or a lower limit from the client.

    The live page sends a lower limit, so that its viewers do not use up the subscriptions of a job.

    Raises:
        Unprocessable: the header is not a number from 1 to the contract's limit.
    """
    value = request.headers.get(MOST_SUBSCRIPTIONS)
    if value is None:
        return limits.LIVE_SUBSCRIPTIONS
    if not re.fullmatch(r"\d{1,3}", value, re.ASCII) or not 1 <= int(value) <= limits.LIVE_SUBSCRIPTIONS:
        detail = f"must be a number from 1 to {limits.LIVE_SUBSCRIPTIONS}"
        raise Unprocessable(f"{MOST_SUBSCRIPTIONS} {detail}.", [Fault(f"/header/{MOST_SUBSCRIPTIONS}", detail)])
    return int(value)


async def idempotency(request: Request) -> Idempotency | None:
    """Return the client's Idempotency-Key, with the path and the body of the request.

    The key belongs to the job of the path, or to the project if the path has no job.

    Raises:
        Unprocessable: the key is empty, too long, or not of printable ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= limits.IDEMPOTENCY_KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        detail = f"must be 1 to {limits.IDEMPOTENCY_KEY_CHARACTERS} printable ASCII characters"
        raise Unprocessable(f"Idempotency-Key {detail}.", [Fault("/header/Idempotency-Key", detail)])
    owner = job_key(request) if "jobId" in request.path_params else project_key(request)
    body = await request.json() if await request.body() else None
    return Idempotency(owner, request.url.path.lower(), key, fingerprint(body))
