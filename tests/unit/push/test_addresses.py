"""Which addresses are public: hostile ones, and ones where the standard library is wrong."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.push.egress.addresses import is_loopback, is_public, parse_address
from tests.hostile import ADDRESSES

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "172.32.0.1", "192.0.1.1", "223.255.255.254",
          "2606:4700:4700::1111", "2a00:1450:4001:82b::200e", "2001:4860:4860::8888", "2400:cb00::1"]  # fmt: skip


ipv4 = st.ip_addresses(v=4).map(IPv4Address)
notations = st.sampled_from(["{0}", "0x{0:x}", "0{0:o}"])


@pytest.mark.parametrize("address", ADDRESSES)
def test_hostile_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_calls_special(address: IPv4Address | IPv6Address) -> None:
    special = (
        address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
        or address.is_reserved or address.is_unspecified
    )  # fmt: skip
    assert not (special and is_public(address))


@given(st.ip_addresses(v=4))
def test_no_ipv6_wrapping_of_an_ipv4_address_is_public(address: IPv4Address) -> None:
    inner = int(address)
    wrapped = [
        inner, 0xFFFF << 32 | inner, 0xFFFF << 48 | inner, 0x64FF9B << 96 | inner, (0x64FF9B0001 << 80) | inner,
        0x2002 << 112 | inner << 80, 0x20010000 << 96 | inner ^ 0xFFFFFFFF,
    ]  # fmt: skip
    assert not any(is_public(IPv6Address(value)) for value in wrapped)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_loopback(address: str) -> None:
    assert is_loopback(ip_address(address))


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "::127.0.0.1", "0.0.0.0", "10.0.0.1", "::2", "8.8.8.8"])  # noqa: S104
def test_no_other_address_is_loopback(address: str) -> None:
    assert not is_loopback(ip_address(address))


@given(ipv4, notations, st.integers(1, 4), st.sampled_from(["", "."]))
def test_every_notation_of_an_address_is_seen_through(address: IPv4Address, digits: str, parts: int, dot: str) -> None:
    octets = list(address.packed)
    rest = int.from_bytes(bytes(octets[parts - 1 :]), "big")
    host = ".".join(digits.format(part) for part in [*octets[: parts - 1], rest]) + dot
    assert parse_address(host) == address


@pytest.mark.parametrize("host", ["1.2.3.4.5", "256.0.0.1", "0x", "1.2.3.0xg", "09.1.1.1", "4294967296", "[::g]", "[]"])
def test_what_looks_like_an_address_and_is_none_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"address|octet|[Oo]nly|permitted|expected|[Aa]t least|empty"):
        parse_address(host)


@pytest.mark.parametrize("host", ["example.com", "0xcafe.example", "1.example", "localhost", ""])
def test_names_are_no_addresses(host: str) -> None:
    assert parse_address(host) is None
