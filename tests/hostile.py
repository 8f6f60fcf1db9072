"""Hosts that lead to internal addresses, in many notations, and a record of connections."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LOOPBACK = [
    "127.0.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7F.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1",
    "0177.0.0.01", "017700000001", "127.1", "127.0.1", "127.0.0.1.", "2130706433.", "[::1]", "[0:0:0:0:0:0:0:1]",
    "localhost", "LOCALHOST", "localhost.", "app.localhost", "app.localhost.",
]  # fmt: skip
NOT_PUBLIC = [
    # this host, private, shared, link-local (the metadata services), protocol assignments
    "0", "0.0.0.0", "0x0", "00", "10.0.0.1", "0xa.1", "012.0.0.1", "167772161", "172.16.0.1", "172.31.255.255",  # noqa: S104
    "192.168.1.1", "0300.0250.1.1", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.88.99.1", "198.18.0.1",
    "169.254.169.254", "169.254.169.254.", "169.254.43518", "169.16689662", "2852039166", "0xA9FEA9FE",
    "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "025177524776", "0xa9.254.0251.254", "169.254.170.2",
    # documentation, multicast, reserved, broadcast
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "0xffffffff",
    # IPv6: unspecified, link-local, site-local, unique local (a metadata service), multicast, documentation, given back
    "[::]", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]",
    "[3ffe::1]", "[100::1]", "[5f00::1]",
    # IPv4 within IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:A9FE:A9FE]", "[0:0:0:0:0:ffff:169.254.169.254]", "[::127.0.0.1]",
    "[::a9fe:a9fe]", "[::ffff:0:169.254.169.254]", "[::ffff:8.8.8.8]", "[64:ff9b::7f00:1]", "[64:ff9b::8.8.8.8]",
    "[64:ff9b::169.254.169.254]", "[64:ff9b:1::a9fe:a9fe]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
    "[2001:0:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
]  # fmt: skip
MALFORMED = [
    "https://", "https:///path", "https://.", "https://.example/", "https://a..example/", "https://-a.example/",
    "https://exa mple.com/", "https://exa_mple.com/", "https://" + "a" * 64 + ".example/",
    # user info, and forms that other parsers take for it
    "https://user@example.com/", "https://user:pw@example.com/", "https://@example.com/", "https://:@example.com/",
    "https://example.com@169.254.169.254/", "https://example.com:443@169.254.169.254/", "https://example.com%40127.0.0.1/",
    "https://example.com\\@127.0.0.1/", "https://127.0.0.1\\.example.com/", "https:\\\\127.0.0.1/",
    # invalid ports
    "https://example.com:0/", "https://example.com:99999/", "https://example.com:x/", "https://example.com:443:80/",
    # white space and control characters
    "https://example.com/\n", "\thttps://example.com/", "https://ex\tample.com/", "https://127.0.0.1\x00.example.com/",
    # digits, letters and dots that IDNA maps to the characters of an address
    "https://１２７.0.0.1/", "https://①②⑦.⓪.⓪.①/", "https://١٢٧.0.0.1/", "https://127。0。0。1/", "https://127．0．0．1/",
    "https://ⓛocalhost/", "https://ｌｏｃａｌｈｏｓｔ/", "https://loc\u00adalhost/", "https://例え.jp/",
    "https://[::ffff:１２７.0.0.1]/",
    # escaped, with zones or brackets, too many or too large parts
    "https://%31%32%37.0.0.1/", "https://127.0.0.%31/", "https://127.0.0.1%00/", "https://[::1%25lo]/", "https://[fe80::1%eth0]/",
    "https://[fe80::1%251]/", "https://[::1/", "https://::1/", "https://[127.0.0.1]/", "https://[v1.x]/", "https://[::1]x/",
    "https://1.2.3.4.5/", "https://256.1.1.1/", "https://4294967296/", "https://169.254.169.254../", "https://127.0.0.1.../",
    "https://09.1.1.1/", "https://0xg/", "https://425.510.425.510/",
    # other schemes, no scheme, or too long
    "ftp://example.com/", "//example.com/", "example.com", "", "javascript:alert(1)", "file:///etc/passwd",
    "https:127.0.0.1", "gopher://127.0.0.1/", "https://example.com/" + "a" * 2048,
]  # fmt: skip
OTHER_PORTS = [
    "https://example.com:8443/",
    "https://example.com:80/",
    "https://example.com:22/",
    "https://8.8.8.8:6379/",
]
PLAIN = ["http://example.com/", "http://8.8.8.8/", "http://example.com:443/"]
INSIDE = [f"https://{host}/hook" for host in LOOPBACK + NOT_PUBLIC]
REFUSED = [
    *INSIDE,
    *MALFORMED,
    *OTHER_PORTS,
    *PLAIN,
    "http://169.254.169.254/latest/meta-data/",
    "https://127.0.0.1:443/",
]
"""URLs that may neither be subscribed nor, if stored, receive pushes."""

ADDRESSES = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",  # noqa: S104
    "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b::8.8.8.8", "64:ff9b:1::a9fe:a9fe", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3ffe::1", "3fff::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip
"""Addresses to which a name may not resolve."""


@dataclass
class Traffic:
    """The socket activity of the process: destinations of connections and datagrams, and resolved names."""

    connected: list[object] = field(default_factory=list)
    looked_up: list[object] = field(default_factory=list)

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        """Record an audit event, and refuse connections to other hosts."""
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            self.connected.append(arguments[1])
            if not (isinstance(arguments[1], tuple) and arguments[1][0] == "127.0.0.1"):
                raise ConnectionRefusedError
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            self.looked_up.append(arguments[0])


@contextmanager
def hearing() -> Iterator[Traffic]:
    """Record with an audit hook, which sees every socket of the process."""
    traffic, over = Traffic(), False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if not over and event.startswith("socket."):
            traffic.hear(event, arguments)

    sys.addaudithook(hook)
    try:
        yield traffic
    finally:
        over = True  # a hook cannot be removed
