# Generated from ../_async/client.py by `make client`; do not edit.
"""The client of one project."""

import random
import time
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from jobtrack_client._api._sync.follow_job import Following
from jobtrack_client._api.requests import Request, ResponseT
from jobtrack_client._api.retries import Backoff, RetryPolicy, new_key
from jobtrack_client._api.settings import Token, resolve
from jobtrack_client._exceptions import JobTrackError
from jobtrack_client.types import Language

if TYPE_CHECKING:
    import httpx

    from jobtrack_client._api.responses import Reply


class Client(Following):
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
        token: Token | None = None,
        tenant_id: str | None = None,
        project_id: str | None = None,
        *,
        language: Language | None = None,
        timeout: float = 10.0,
        attempts: int = 5,
        longest_wait: float = 60.0,
        backoff: Backoff | None = None,
        transport: "httpx.BaseTransport | None" = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        messages: Callable[[str, int | None, float], Generator[dict[str, Any]]] | None = None,
        key: Callable[[], str] = new_key,
    ) -> None:
        # Imported here, because httpx imports rich and click if they are installed.
        from jobtrack_client._api._sync import http

        settings = resolve(base_url, token, tenant_id, project_id)
        self._http = http.Http(settings, timeout=timeout, clock=clock, language=language, transport=transport)
        self._timeout = timeout
        self._tenant = settings.tenant_id
        self._backoff = backoff or Backoff(random=random.random)
        self._retries = RetryPolicy(attempts, longest_wait, self._backoff)
        self._clock = clock
        self._language = language
        self._sleep = sleep or http.sleep
        self._messages = messages
        self._new_key = key

    def __enter__(self) -> Self:
        """Return the client itself. The end of the `with` statement closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections. Close the jobs of this client first."""
        self._http.close()

    def _connected(self, url: str, seen: int | None) -> Generator[dict[str, Any]]:
        # Imported here, because most clients need no WebSockets.
        from jobtrack_client._api._sync import sockets

        return (self._messages or sockets.messages)(url, seen, self._timeout)

    def _key(self) -> str:
        return self._new_key()

    def _fetch(self, request: Request[ResponseT]) -> ResponseT:
        return cast(ResponseT, (self._send(request)).json)

    def _send(self, request: Request[Any]) -> "Reply":
        return self._send_with_retries(request, self._retries)

    def _send_until_answered(self, request: Request[Any]) -> "Reply":
        return self._send_with_retries(request, self._retries.endless())

    def _send_with_retries(self, request: Request[Any], policy: RetryPolicy) -> "Reply":
        attempts = 0
        while True:
            try:
                return self._http.send(request)
            except JobTrackError as error:
                attempts += 1
                self._sleep(policy.delay(attempts, error))
