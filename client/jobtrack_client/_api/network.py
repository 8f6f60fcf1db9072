"""Reads the proxy and the trusted certificates from the environment."""

import os
import socket
import ssl
from importlib.util import find_spec
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from jobtrack_client._exceptions import ConfigurationError

_TLS_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
_HTTP_OF = {"ws": "http", "wss": "https"}
_PACKAGES = {"socksio": "httpx[socks]", "python_socks": "python-socks[asyncio]"}


class Proxy(NamedTuple):
    """A proxy, and the environment variable that names it."""

    url: str
    variable: str

    def __str__(self) -> str:
        """Return the proxy for error messages, without its user and password."""
        return f"the proxy {_shown(self.url)} ({self.variable})"

    def for_httpx(self, context: ssl.SSLContext) -> httpx.Proxy:
        """Return the proxy for httpx, which refuses an SSL context for a proxy without TLS."""
        return httpx.Proxy(self.url, ssl_context=context if urlsplit(self.url).scheme == "https" else None)


def proxy(url: str, socks: str = "socksio") -> Proxy | None:
    """Return the proxy for a URL, by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; None for a loopback address.

    `socks` is the module that a SOCKS proxy needs.

    Raises:
        ConfigurationError: the variable is not the address of a proxy, or that module is not installed.
    """
    parts, proxies = urlsplit(url), getproxies()
    scheme = _HTTP_OF.get(parts.scheme, parts.scheme)
    name = scheme if proxies.get(scheme) else "all"
    if not proxies.get(name) or is_loopback(parts.hostname or "") or _bypassed(parts):
        return None
    variables = (f"{name}_proxy", f"{name}_proxy".upper())
    variable = next((name for name in variables if os.environ.get(name)), "the system's settings")
    return Proxy(_checked(proxies[name], variable, socks), variable)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: `localhost`, a subdomain, or a loopback address in any notation."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(_long_form(name))
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def tls(url: str, proxy: Proxy | None) -> ssl.SSLContext:
    """Return a context with the certificates of SSL_CERT_FILE or SSL_CERT_DIR, or with those of httpx.

    Raises:
        ConfigurationError: a variable names a file or folder that cannot be used.
    """
    if "https" not in (urlsplit(url).scheme, urlsplit(proxy.url).scheme if proxy else ""):
        # Loading certificates takes 10 ms or more. This context trusts none, so it cannot be used by mistake.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as error:  # including ssl.SSLError
        variables = ", ".join(f"{name}={os.environ[name]}" for name in _TLS_VARIABLES if os.environ.get(name))
        raise ConfigurationError(f"TLS cannot be set up with {variables}: {error.strerror or error}") from error


def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        # OpenSSL accepts a list of folders, and ignores those that do not exist.
        if not any(map(os.path.isdir, folder.split(os.pathsep))):
            raise NotADirectoryError("no such folder")
        return ssl.create_default_context(capath=folder)
    return httpx.create_ssl_context(trust_env=False)


def _long_form(name: str) -> str:
    """Return an IPv4 address such as `127.1` or `0x7f000001` in four decimal parts, and any other name unchanged."""
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, ValueError):  # not an IPv4 address, or not ASCII
        return name.partition("%")[0]


def _bypassed(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    # Python finds the port of an IPv6 address only behind brackets, but NO_PROXY may have the address without them.
    forms = (f"[{host}]", host) if ":" in host else (host, parts.netloc.rpartition("@")[2])
    return any(proxy_bypass(form) for form in forms)


def _checked(value: str, variable: str, socks: str) -> str:
    url = value if "://" in value else f"http://{value}"
    try:
        valid = bool(httpx.Proxy(url).url.host) and urlsplit(url).port != 0
    except (ValueError, httpx.InvalidURL):
        valid = False
    if not valid:
        raise ConfigurationError(f"{variable} is not the address of a proxy: {_shown(value)!r}")
    if urlsplit(url).scheme.startswith("socks") and find_spec(socks) is None:
        raise ConfigurationError(
            f"{variable}={_shown(value)} is a SOCKS proxy: it needs `pip install {_PACKAGES[socks]!r}`"
        )
    return url


def _shown(value: str) -> str:
    scheme, separator, rest = value.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
