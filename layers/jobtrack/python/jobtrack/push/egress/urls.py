"""Parsing and checking webhook URLs."""

import re
from collections.abc import Collection

from msgspec import Struct

from jobtrack.push.egress.addresses import is_loopback, is_public, parse_address

URL_CHARACTERS = 2048

_VISIBLE = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII without the backslash, which browsers and libraries read differently."""
_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE)
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


class WebhookUrl(Struct, frozen=True):
    """A webhook URL in parts; `host` is a name or an address without brackets, `path` holds the query too."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header: the host, and the port unless it is the default of the scheme."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> "WebhookUrl":
        """Parse a URL.

        Raises:
            ValueError: it is not an http or https URL, has user info, or its host is not valid.
        """
        if len(url) > URL_CHARACTERS or not _VISIBLE.fullmatch(url):
            raise ValueError(f"must be at most {URL_CHARACTERS} visible ASCII characters (a host in punycode)")
        if (parts := _URL.fullmatch(url)) is None:
            raise ValueError("must be an https URL")
        tls = parts[1].lower() == "https"
        host, port = _host_and_port(parts[2], 443 if tls else 80)
        return cls(tls, host, port, (parts[3] or "/") + (parts[4] or ""))


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    if "@" in authority:
        raise ValueError("must have no user info")
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::([0-9]{1,5}))?", authority)
    if match is None or not 0 < (port := int(match[2] or default)) < 65536:
        raise ValueError("must have a host, and a port from 1 to 65535 if any")
    return _canonical_host(match[1].lower()), port


def _canonical_host(host: str) -> str:
    try:
        address = parse_address(host)
    except ValueError as error:
        raise ValueError("must have a host that is a name or an address") from error
    if address is None and not _NAME.fullmatch(host.removesuffix(".")):
        raise ValueError("must have a host that is a name or an address")
    return host.removesuffix(".") if address is None else str(address)


def check_url(url: str, ports: Collection[int], allow_loopback: bool = False) -> WebhookUrl:
    """Check that messages may be pushed to the URL: https, an allowed port, and no non-public address.

    With `allow_loopback`, a loopback host may have any port and plain http. A host name need not resolve yet.

    Raises:
        ValueError: messages may not be pushed there; the text gives the reason, without a subject.
    """
    target = WebhookUrl.parse(url)
    if _is_loopback_host(target.host):
        if not allow_loopback:
            raise ValueError("must not be a loopback address")
        return target
    if not target.tls:
        raise ValueError("must be an https URL")
    if target.port not in ports:
        raise ValueError(f"must have port {' or '.join(str(port) for port in sorted(ports))}")
    address = parse_address(_bracketed(target.host))
    if address is not None and not is_public(address):
        raise ValueError("must be a public address")
    return target


def _is_loopback_host(host: str) -> bool:
    address = parse_address(_bracketed(host))
    return host == "localhost" or host.endswith(".localhost") if address is None else is_loopback(address)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
