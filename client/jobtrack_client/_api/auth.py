"""Adds the token to each request."""

from collections.abc import AsyncGenerator, Generator
from inspect import isawaitable

import httpx

from jobtrack_client._api.http_logging import quiet
from jobtrack_client._api.settings import AnyToken, usable
from jobtrack_client._api.token_command import TokenCommand
from jobtrack_client._exceptions import TokenUnavailable

_REFUSALS = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
"""Also 403: a new token may have the tenant, project or scope that the old one lacked."""


class BearerAuth(httpx.Auth):
    """Adds the token to a request. After a refusal, a token callable is called once more."""

    def __init__(self, token: AnyToken) -> None:
        self._token = usable(token) if isinstance(token, str) else token

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the token, and once more with a new token after a 401 or 403."""
        response = yield _with_token(request, self._get_token())
        if self._refused(response):
            yield _with_token(request, self._get_token())

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with the token, and once more with a new token after a 401 or 403."""
        response = yield _with_token(request, await self._await_token())
        if self._refused(response):
            yield _with_token(request, await self._await_token())

    def _refused(self, response: httpx.Response) -> bool:
        if response.status_code not in _REFUSALS or isinstance(self._token, str):
            return False
        if isinstance(self._token, TokenCommand):
            self._token.forget(_token_of(response.request))
        return True

    def _get_token(self) -> str:
        if isinstance(self._token, str):
            return self._token
        try:
            # Log lines about the callable's own requests belong to the program.
            with quiet(ours=False):
                token = self._token()
        except Exception as error:  # the callable is the program's, and may raise anything
            raise _unavailable(error) from error
        if not isinstance(token, str):
            raise TokenUnavailable("the token callable of a blocking client must return a string")
        return usable(token)

    async def _await_token(self) -> str:
        if isinstance(self._token, str):
            return self._token
        try:
            with quiet(ours=False):
                token = self._token()
                value = await token if isawaitable(token) else token
        except Exception as error:  # as above
            raise _unavailable(error) from error
        return usable(value)


def _with_token(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _token_of(request: httpx.Request) -> str:
    return request.headers["Authorization"].removeprefix("Bearer ")


def _unavailable(error: Exception) -> TokenUnavailable:
    if isinstance(error, TokenUnavailable):
        return error
    return TokenUnavailable(f"the token callable failed: {type(error).__name__}")
