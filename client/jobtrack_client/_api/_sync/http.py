# Generated from ../_async/http.py by `make client`; do not edit.
"""Sends one request, without retries."""

from collections.abc import Callable
from functools import lru_cache, partial
from time import sleep as sleep
from typing import Any

import httpx

from jobtrack_client._api._sync.transports import Route
from jobtrack_client._api.auth import BearerAuth
from jobtrack_client._api.http_logging import quiet
from jobtrack_client._api.requests import Request
from jobtrack_client._api.responses import Reply, read_response
from jobtrack_client._api.settings import Settings
from jobtrack_client._exceptions import ConfigurationError, TimedOut, Unreachable
from jobtrack_client._runtime import fork_safety


class Http:
    """Sends requests to one project. It may be shared between threads, and with forked processes."""

    def __init__(
        self,
        settings: Settings,
        *,
        timeout: float,
        clock: Callable[[], float],
        language: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._root = settings.root
        self._given_transport = transport
        self._through = ""
        """How error messages name the proxy."""
        self._new_client = partial(
            httpx.Client,
            base_url=self._root,
            auth=BearerAuth(settings.token),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            headers={"Accept": "application/json"} | ({"Accept-Language": language} if language else {}),
        )
        try:
            self._client = self._new_client(transport=self._transport())
        except httpx.InvalidURL as error:  # found by httpx alone
            raise ConfigurationError(f"base_url cannot be used: {error}") from error
        fork_safety.renew(self)

    def send(self, request: Request[Any], timeout: float | None = None) -> Reply:
        """Return the successful response, or the 304 for a known ETag. Each step takes at most `timeout` seconds.

        Raises:
            JobTrackError: there is no response, or it is an error.
        """
        try:
            with quiet():
                response = self._client.send(self._build(request, timeout))
        except httpx.TimeoutException as error:
            why = type(error).__name__
            raise TimedOut(f"no response from {self._host}{self._through} in time ({why})") from error
        except httpx.RequestError as error:
            why = str(error) or type(error).__name__
            raise Unreachable(f"{self._host} cannot be reached{self._through}: {why}") from error
        except UnicodeError as error:  # raised for a host name with an empty or a too long label
            raise ConfigurationError(f"{self._host} cannot be reached{self._through}: {error}") from error
        return read_response(response, self._clock, request.etag)

    def forked(self) -> None:
        """Replace the connections, which belong to the parent. Closing them would also end its TLS connections."""
        self._parents, self._client = self._client, self._new_client(transport=self._transport())

    def close(self) -> None:
        """Close the connections."""
        with quiet():
            self._client.close()

    def _transport(self) -> httpx.BaseTransport:
        if self._given_transport is not None:
            return self._given_transport
        route = Route(self._root)
        self._through = "" if route.proxy is None else f" through {route.proxy}"
        return route

    @property
    def _host(self) -> str:
        return self._client.base_url.netloc.decode()

    def _build(self, request: Request[Any], timeout: float | None) -> httpx.Request:
        headers = {
            "Content-Type": None if request.body is None else "application/json",
            "Idempotency-Key": request.key,
            "If-None-Match": request.etag,
        }
        return self._client.build_request(
            request.method,
            _url(self._root, request.path),
            params=dict(request.params) or None,
            content=request.body,
            headers={name: value for name, value in headers.items() if value is not None},
            timeout=self._client.timeout if timeout is None else httpx.Timeout(timeout),
        )


@lru_cache(maxsize=64)
def _url(root: str, path: str) -> httpx.URL:
    """Return a cached URL, because all reports of a job use the same URL."""
    return httpx.URL(root + path)
