"""The token on each request."""

from collections.abc import AsyncGenerator, Generator
from inspect import isawaitable

import httpx

from jobtrack_client._api.http_logging import quiet
from jobtrack_client._api.settings import AnyToken, usable
from jobtrack_client._api.token_command import TokenCommand
from jobtrack_client._exceptions import TokenUnavailable

_REFUSALS = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
"""A 403 counts too: a new token may have the tenant, project or scope that the old one lacked."""


class BearerAuth(httpx.Auth):
    """Puts the token on a request; a token callable is called once more when the service refuses its token."""

    def __init__(self, token: AnyToken) -> None:
        self._token = usable(token) if isinstance(token, str) else token

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request, and once more after a 401 or 403."""
        response = yield _signed(request, self._ask())
        if self._refused(response):
            yield _signed(request, self._ask())

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request, and once more after a 401 or 403."""
        response = yield _signed(request, await self._await())
        if self._refused(response):
            yield _signed(request, await self._await())

    def _refused(self, response: httpx.Response) -> bool:
        if response.status_code not in _REFUSALS or isinstance(self._token, str):
            return False
        if isinstance(self._token, TokenCommand):
            self._token.forget(_token_of(response.request))
        return True

    def _ask(self) -> str:
        if isinstance(self._token, str):
            return self._token
        try:
            # Requests that it makes itself are the program's.
            with quiet(ours=False):
                token = self._token()
        except Exception as error:  # whatever the worker's own callable raises
            raise _unavailable(error) from error
        if not isinstance(token, str):
            raise TokenUnavailable("the token callable of a client that does not wait must return a string")
        return usable(token)

    async def _await(self) -> str:
        if isinstance(self._token, str):
            return self._token
        try:
            with quiet(ours=False):
                token = self._token()
                given = await token if isawaitable(token) else token
        except Exception as error:  # as above
            raise _unavailable(error) from error
        return usable(given)


def _signed(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _token_of(request: httpx.Request) -> str:
    return request.headers["Authorization"].removeprefix("Bearer ")


def _unavailable(error: Exception) -> TokenUnavailable:
    if isinstance(error, TokenUnavailable):
        return error
    return TokenUnavailable(f"the token callable failed: {type(error).__name__}")
