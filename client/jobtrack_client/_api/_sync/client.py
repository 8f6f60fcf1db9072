# Made from ../_async/client.py by `make client`: change that instead.
"""The client of one project: calls that wait for their answer."""

import random
import time
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from jobtrack_client._api._sync.following import Following
from jobtrack_client._api.backoff import Backoff
from jobtrack_client._api.requests import AnswerT, Request
from jobtrack_client._api.retry_policy import Patience
from jobtrack_client._api.settings import Token, resolve
from jobtrack_client._exceptions import JobTrackError
from jobtrack_client._reporting.outbox import new_key
from jobtrack_client.types import Language

if TYPE_CHECKING:
    import httpx

    from jobtrack_client._api.responses import Reply


class Client(Following):
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
        token: Token | None = None,
        tenant_id: str | None = None,
        project_id: str | None = None,
        *,
        language: Language | None = None,
        timeout: float = 10.0,
        attempts: int = 5,
        patience: float = 60.0,
        backoff: Backoff | None = None,
        transport: "httpx.BaseTransport | None" = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        messages: Callable[[str, int | None, float], Generator[dict[str, Any]]] | None = None,
        key: Callable[[], str] = new_key,
    ) -> None:
        # Here, since importing httpx loads rich and click where they are installed.
        from jobtrack_client._api._sync import http

        settings = resolve(base_url, token, tenant_id, project_id)
        self._http = http.Http(settings, timeout=timeout, clock=clock, language=language, transport=transport)
        self._timeout = timeout
        self._tenant = settings.tenant_id
        self._backoff = backoff or Backoff(random=random.random)
        self._patience = Patience(attempts, patience, self._backoff)
        self._clock = clock
        self._language = language
        self._sleep = sleep or http.sleep
        self._messages = messages
        self._new_key = key

    def __enter__(self) -> Self:
        """The client itself, closed at the end of the `with` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; its jobs must have been closed before."""
        self._http.close()

    def _connected(self, url: str, seen: int | None) -> Generator[dict[str, Any]]:
        # Here, since most clients need no WebSockets.
        from jobtrack_client._api._sync import sockets

        return (self._messages or sockets.messages)(url, seen, self._timeout)

    def _key(self) -> str:
        return self._new_key()

    def _ask(self, request: Request[AnswerT]) -> AnswerT:
        return cast(AnswerT, (self._sent(request)).json)

    def _sent(self, request: Request[Any]) -> "Reply":
        tries = 0
        while True:
            try:
                return self._http.send(request)
            except JobTrackError as error:
                tries += 1
                self._sleep(self._patience.wait(tries, error))

    def _insisted(self, request: Request[Any]) -> "Reply":
        """The answer, however long it takes to get one; refusals are raised."""
        while True:
            try:
                return self._sent(request)
            except JobTrackError as error:
                if not error.transient:
                    raise
                self._sleep(self._backoff.delay(self._patience.attempts, error.retry_after))
