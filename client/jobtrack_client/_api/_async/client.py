"""The client of one project: calls that wait for their answer."""

import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from jobtrack_client._api._async.following import AsyncFollowing
from jobtrack_client._api.backoff import Backoff
from jobtrack_client._api.requests import AnswerT, Request
from jobtrack_client._api.retry_policy import Patience
from jobtrack_client._api.settings import AnyToken, resolve
from jobtrack_client._exceptions import JobTrackError
from jobtrack_client._reporting.outbox import new_key
from jobtrack_client.types import Language

if TYPE_CHECKING:
    import httpx

    from jobtrack_client._api.responses import Reply


class AsyncClient(AsyncFollowing):
    """Talks to one project of one tenant.

    What is not given is read from JOBTRACK_URL, JOBTRACK_TOKEN, JOBTRACK_TENANT and JOBTRACK_PROJECT. `token` may be a
    callable, which is asked before every request. A request that meets no answer, a 5xx, 408 or 429 is tried
    `attempts` times, a POST under the same Idempotency-Key, unless the service asks to wait for more than `patience`
    seconds. `language` (`ja` or `en`) is that of descriptions. Every call raises a `JobTrackError` when it fails.

    Raises:
        ConfigurationError: something is missing or cannot be used.
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
        patience: float = 60.0,
        backoff: Backoff | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        messages: Callable[[str, int | None, float], AsyncGenerator[dict[str, Any]]] | None = None,
        key: Callable[[], str] = new_key,
    ) -> None:
        # Here, since importing httpx loads rich and click where they are installed.
        from jobtrack_client._api._async import http

        settings = resolve(base_url, token, tenant_id, project_id)
        self._http = http.AsyncHttp(settings, timeout=timeout, clock=clock, language=language, transport=transport)
        self._timeout = timeout
        self._tenant = settings.tenant_id
        self._backoff = backoff or Backoff(random=random.random)
        self._patience = Patience(attempts, patience, self._backoff)
        self._clock = clock
        self._language = language
        self._sleep = sleep or http.sleep
        self._messages = messages
        self._new_key = key

    async def __aenter__(self) -> Self:
        """The client itself, closed at the end of the `with` statement."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; its jobs must have been closed before."""
        await self._http.aclose()

    def _connected(self, url: str, seen: int | None) -> AsyncGenerator[dict[str, Any]]:
        # Here, since most clients need no WebSockets.
        from jobtrack_client._api._async import sockets

        return (self._messages or sockets.messages)(url, seen, self._timeout)

    def _key(self) -> str:
        return self._new_key()

    async def _ask(self, request: Request[AnswerT]) -> AnswerT:
        return cast(AnswerT, (await self._sent(request)).json)

    async def _sent(self, request: Request[Any]) -> "Reply":
        tries = 0
        while True:
            try:
                return await self._http.send(request)
            except JobTrackError as error:
                tries += 1
                await self._sleep(self._patience.wait(tries, error))

    async def _insisted(self, request: Request[Any]) -> "Reply":
        """The answer, however long it takes to get one; refusals are raised."""
        while True:
            try:
                return await self._sent(request)
            except JobTrackError as error:
                if not error.transient:
                    raise
                await self._sleep(self._backoff.delay(self._patience.attempts, error.retry_after))
