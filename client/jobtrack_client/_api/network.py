"""What the environment says of the way to a service: its proxy, and the certificates to trust."""

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
    """A proxy, and the variable that names it."""

    url: str
    variable: str

    def __str__(self) -> str:
        """As errors name it: without its user and password."""
        return f"the proxy {_shown(self.url)} ({self.variable})"

    def for_httpx(self, context: ssl.SSLContext) -> httpx.Proxy:
        """As httpx takes it, which refuses a context for a proxy that needs none."""
        return httpx.Proxy(self.url, ssl_context=context if urlsplit(self.url).scheme == "https" else None)


def proxy(url: str, socks: str = "socksio") -> Proxy | None:
    """The proxy for an address, by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; None for loopback.

    `socks` is the module that a SOCKS proxy needs.

    Raises:
        ConfigurationError: the variable does not name a proxy, or that module is not installed.
    """
    parts, known = urlsplit(url), getproxies()
    scheme = _HTTP_OF.get(parts.scheme, parts.scheme)
    name = scheme if known.get(scheme) else "all"
    if not known.get(name) or is_loopback(parts.hostname or "") or _bypassed(parts):
        return None
    variables = (f"{name}_proxy", f"{name}_proxy".upper())
    variable = next((each for each in variables if os.environ.get(each)), "the system's settings")
    return Proxy(_usable(known[name], variable, socks), variable)


def is_loopback(host: str) -> bool:
    """Whether it is this machine: `localhost` and names below it, and its addresses in any notation."""
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
    """The certificates to trust: those of SSL_CERT_FILE or SSL_CERT_DIR, else those that come with httpx.

    Raises:
        ConfigurationError: a variable names a file or folder that cannot be used.
    """
    if "https" not in (urlsplit(url).scheme, urlsplit(proxy.url).scheme if proxy else ""):
        # To load certificates takes 10 ms or more. This context trusts none, so it cannot be used by mistake.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as error:  # of which ssl.SSLError is one
        given = ", ".join(f"{name}={os.environ[name]}" for name in _TLS_VARIABLES if os.environ.get(name))
        raise ConfigurationError(f"TLS cannot be set up with {given}: {error.strerror or error}") from error


def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        # OpenSSL takes a list of folders, and does not complain of one that is missing.
        if not any(map(os.path.isdir, folder.split(os.pathsep))):
            raise NotADirectoryError("no such folder")
        return ssl.create_default_context(capath=folder)
    return httpx.create_ssl_context(trust_env=False)


def _long_form(name: str) -> str:
    """An IPv4 address such as `127.1` or `0x7f000001` in four decimal parts; anything else as it is."""
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, ValueError):  # not an IPv4 address, or not ASCII
        return name.partition("%")[0]


def _bypassed(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    # The port of an IPv6 address is found only where the address is in brackets; NO_PROXY may have it without them.
    forms = (f"[{host}]", host) if ":" in host else (host, parts.netloc.rpartition("@")[2])
    return any(proxy_bypass(form) for form in forms)


def _usable(value: str, variable: str, socks: str) -> str:
    url = value if "://" in value else f"http://{value}"
    try:
        good = bool(httpx.Proxy(url).url.host) and urlsplit(url).port != 0
    except (ValueError, httpx.InvalidURL):
        good = False
    if not good:
        raise ConfigurationError(f"{variable} is not the address of a proxy: {_shown(value)!r}")
    if urlsplit(url).scheme.startswith("socks") and find_spec(socks) is None:
        raise ConfigurationError(
            f"{variable}={_shown(value)} is a SOCKS proxy: it needs `pip install {_PACKAGES[socks]!r}`"
        )
    return url


def _shown(value: str) -> str:
    scheme, separator, rest = value.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
