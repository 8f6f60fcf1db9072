"""Connections to one address, with the proxy and certificates from the environment."""

import httpx

from jobtrack_client._api import network
from jobtrack_client._exceptions import ConfigurationError


class AsyncRoute(httpx.AsyncBaseTransport):
    """A route to one address: direct, or through a proxy.

    The constructor never fails. A proxy or certificate that cannot be used makes each request fail instead: the
    variables were often set for other programs, and a program must not end because its job cannot be reported.
    """

    def __init__(self, url: str) -> None:
        self.proxy: network.Proxy | None = None
        self._fault: str | None = None
        try:
            self.proxy = network.proxy(url)
            context = network.tls(url, self.proxy)
        except ConfigurationError as error:
            self._fault = str(error)
            return
        proxy = None if self.proxy is None else self.proxy.for_httpx(context)
        self._transport = httpx.AsyncHTTPTransport(verify=context, proxy=proxy, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response. Its extensions name the proxy.

        Raises:
            ConfigurationError: the proxy or a certificate that the environment names cannot be used.
        """
        if self._fault is not None:
            raise ConfigurationError(self._fault)
        response = await self._transport.handle_async_request(request)
        if response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            await response.aclose()
            raise httpx.ProxyError("407 Proxy Authentication Required", request=request)
        response.extensions["proxy"] = self.proxy
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        if self._fault is None:
            await self._transport.aclose()
