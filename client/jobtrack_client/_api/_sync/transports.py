# Generated from ../_async/transports.py by `make client`; do not edit.
"""The connections to one address, opened as the environment says."""

import httpx

from jobtrack_client._api import network
from jobtrack_client._exceptions import ConfigurationError


class Route(httpx.BaseTransport):
    """The way to one address: direct, or through a proxy.

    A proxy or certificate that cannot be used is reported by each request, not here: the variables that name them were
    often set for other programs, and a program must not end because its job cannot be reported.
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
        self._transport = httpx.HTTPTransport(verify=context, proxy=proxy, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; how it came is among its extensions.

        Raises:
            ConfigurationError: a proxy or certificate of the environment cannot be used.
        """
        if self._fault is not None:
            raise ConfigurationError(self._fault)
        response = self._transport.handle_request(request)
        if response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            response.close()
            raise httpx.ProxyError("407 Proxy Authentication Required", request=request)
        response.extensions["proxy"] = self.proxy
        return response

    def close(self) -> None:
        """Close the connections."""
        if self._fault is None:
            self._transport.close()
