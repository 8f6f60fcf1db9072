"""One request, one answer: no retries here."""

from collections.abc import Callable, Generator, Mapping
from functools import partial

import httpx

from jobtrack_client import _fork
from jobtrack_client._answers import read
from jobtrack_client._exceptions import TimedOut, TokenUnavailable, Unreachable
from jobtrack_client._plain import Json
from jobtrack_client._settings import Settings, Token, usable


class BearerAuth(httpx.Auth):
    """Puts the token on a request; one that is asked for is asked for once more when the service refuses it."""

    def __init__(self, token: Token) -> None:
        self._token = usable(token) if isinstance(token, str) else token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request, and once more after a 401."""
        response = yield self._sign(request)
        if response.status_code == httpx.codes.UNAUTHORIZED and callable(self._token):
            yield self._sign(request)

    def _sign(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._ask()}"
        return request

    def _ask(self) -> str:
        if isinstance(self._token, str):
            return self._token
        try:
            token = self._token()
        except Exception as error:  # whatever the worker's own callable raises
            raise TokenUnavailable(f"the token callable failed: {_name(error)}") from error
        return usable(token)


class Http:
    """Sends requests to one project; may be shared between threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        timeout: float,
        clock: Callable[[], float],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._new_client = partial(
            httpx.Client,
            base_url=settings.root,
            auth=BearerAuth(settings.token),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            transport=transport,
            headers={"Accept": "application/json"},
        )
        self._client = self._new_client()
        _fork.renew(self)

    def get(self, path: str, params: Mapping[str, str | int | bool] | None = None) -> dict[str, Json]:
        """The answer to a GET.

        Raises:
            JobTrackError: there is none, or it is an error.
        """
        return self._send(self._client.build_request("GET", path, params=params))

    def post(self, path: str, body: bytes, key: str, timeout: float | None = None) -> dict[str, Json]:
        """The answer to a POST of JSON with an Idempotency-Key, waiting at most `timeout` seconds for each step of it.

        Raises:
            JobTrackError: there is none, or it is an error.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        waits = self._client.timeout if timeout is None else httpx.Timeout(timeout)
        return self._send(self._client.build_request("POST", path, content=body, headers=headers, timeout=waits))

    def forked(self) -> None:
        """Leave the connections to the parent: closed here, they would end there too where they are encrypted."""
        self._parents, self._client = self._client, self._new_client()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, request: httpx.Request) -> dict[str, Json]:
        try:
            response = self._client.send(request)
        except httpx.TimeoutException as error:
            raise TimedOut(f"no answer from {request.url.netloc.decode()} in time ({_name(error)})") from error
        except httpx.RequestError as error:
            raise Unreachable(
                f"{request.url.netloc.decode()} cannot be reached: {str(error) or _name(error)}"
            ) from error
        return read(response, self._clock)


def _name(error: Exception) -> str:
    return type(error).__name__
