"""Public addresses are all addresses without a special purpose. Webhooks are sent only to public addresses.

`ipaddress.is_global` is not enough: in Python 3.11 it is true for 64:ff9b::a9fe:a9fe (the metadata service through
NAT64), fec0::1, ::127.0.0.1 and 224.0.0.1. For IPv6, all addresses outside global unicast (2000::/3) are refused:
loopback, mapped and compatible IPv4, NAT64, unique local, link-local, site-local and multicast addresses.
"""

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_PUBLIC_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, with the metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3ffe::/16",  # 6bone, given back
        "3fff::/20",  # documentation
    )
)


def is_public(address: Address) -> bool:
    """Return whether the address is public, by IANA's special-purpose registries."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_IPV4)
    if address.scope_id is not None or address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _NOT_PUBLIC_IPV6)


def is_loopback(address: Address) -> bool:
    """Return whether the address is a loopback address: 127.0.0.0/8 or ::1, but no mapped or compatible form."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_loopback
    return address == ipaddress.IPv6Address("::1")


def parse_address(host: str) -> Address | None:
    """Return the address of a URL's host, in any notation that a resolver accepts; None if the host is a name.

    Raises:
        ValueError: the host looks like an address, but is not valid.
    """
    if host.startswith("["):
        return ipaddress.IPv6Address(host[1:-1])
    last = host.removesuffix(".").rpartition(".")[2]
    if not (last.isdigit() or last.startswith("0x")):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.removesuffix(".")))
    except OSError as error:
        raise ValueError("is not an address") from error
