"""The client of one project."""

import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from jobtrack_client._api._async.follow_job import AsyncFollowing
from jobtrack_client._api.requests import Request, ResponseT
from jobtrack_client._api.retries import Backoff, RetryPolicy, new_key
from jobtrack_client._api.settings import AnyToken, resolve
from jobtrack_client._exceptions import JobTrackError
from jobtrack_client.types import Language

if TYPE_CHECKING:
    import httpx

    from jobtrack_client._api.responses import Reply


class AsyncClient(AsyncFollowing):
    """A client of one project. Its calls wait for the response, and raise a `JobTrackError` when they fail.

    Arguments that are not given are read from JOBTRACK_URL, JOBTRACK_TOKEN, JOBTRACK_TENANT and JOBTRACK_PROJECT, or
    from a profile. `token` may be a callable that returns the token; it is called before every request. `language` is
    the language of descriptions. `timeout` is in seconds.

    A request is sent up to `attempts` times if there is no response or its status is 408, 429 or 5xx. A retried POST
    reuses its Idempotency-Key. If the service asks to wait for more than `longest_wait` seconds, the call fails at
    once.

    Raises:
        ConfigurationError: an argument is missing or invalid.
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: AnyToken | None = None,
        tenant_id: str | None = None,
        project_id: str | None = None,
        *,
        language: Language | None = None,
        timeout: float = 10.0,
        attempts: int = 5,
        longest_wait: float = 60.0,
        backoff: Backoff | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        messages: Callable[[str, int | None, float], AsyncGenerator[dict[str, Any]]] | None = None,
        key: Callable[[], str] = new_key,
    ) -> None:
        # Imported here, because httpx imports rich and click if they are installed.
        from jobtrack_client._api._async import http

        settings = resolve(base_url, token, tenant_id, project_id)
        self._http = http.AsyncHttp(settings, timeout=timeout, clock=clock, language=language, transport=transport)
        self._timeout = timeout
        self._tenant = settings.tenant_id
        self._backoff = backoff or Backoff(random=random.random)
        self._retries = RetryPolicy(attempts, longest_wait, self._backoff)
        self._clock = clock
        self._language = language
        self._sleep = sleep or http.sleep
        self._messages = messages
        self._new_key = key

    async def __aenter__(self) -> Self:
        """Return the client itself. The end of the `with` statement closes it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Close the jobs of this client first."""
        await self._http.aclose()

    def _connected(self, url: str, seen: int | None) -> AsyncGenerator[dict[str, Any]]:
        # Imported here, because most clients need no WebSockets.
        from jobtrack_client._api._async import sockets

        return (self._messages or sockets.messages)(url, seen, self._timeout)

    def _key(self) -> str:
        return self._new_key()

    async def _fetch(self, request: Request[ResponseT]) -> ResponseT:
        return cast(ResponseT, (await self._send(request)).json)

    async def _send(self, request: Request[Any]) -> "Reply":
        return await self._send_with_retries(request, self._retries)

    async def _send_until_answered(self, request: Request[Any]) -> "Reply":
        return await self._send_with_retries(request, self._retries.endless())

    async def _send_with_retries(self, request: Request[Any], policy: RetryPolicy) -> "Reply":
        attempts = 0
        while True:
            try:
                return await self._http.send(request)
            except JobTrackError as error:
                attempts += 1
                await self._sleep(policy.delay(attempts, error))
