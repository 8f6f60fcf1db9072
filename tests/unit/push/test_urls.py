"""Which webhook URLs may be subscribed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.push.egress.urls import WebhookUrl, check_url
from tests.hostile import LOOPBACK, MALFORMED, NOT_PUBLIC, OTHER_PORTS, PLAIN

PORTS = frozenset({443})


@pytest.mark.parametrize("host", LOOPBACK + NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused_in_any_notation(host: str) -> None:
    with pytest.raises(ValueError, match=r"must (not be a loopback|be a public) address"):
        check_url(f"https://{host}/hook", PORTS)


@pytest.mark.parametrize("url", MALFORMED)
@pytest.mark.parametrize("local", [False, True])
def test_what_is_no_proper_https_url_is_refused(url: str, local: bool) -> None:
    with pytest.raises(ValueError, match="must"):
        check_url(url, PORTS, allow_loopback=local)


@pytest.mark.parametrize("url", OTHER_PORTS + PLAIN)
@pytest.mark.parametrize("local", [False, True])
def test_public_hosts_need_https_and_an_allowed_port(url: str, local: bool) -> None:
    with pytest.raises(ValueError, match=r"https|port 443"):
        check_url(url, PORTS, allow_loopback=local)


def test_other_ports_are_a_parameter() -> None:
    assert check_url("https://example.com:8443/", {443, 8443}).port == 8443


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_allowed_only_locally_and_then_with_any_port_and_plain_http(host: str) -> None:
    url = f"http://{host}:49152/hook"
    with pytest.raises(ValueError, match="loopback"):
        check_url(url, PORTS)
    assert check_url(url, PORTS, allow_loopback=True).port == 49152


@pytest.mark.parametrize("host", NOT_PUBLIC)
def test_locally_no_other_address_becomes_allowed(host: str) -> None:
    with pytest.raises(ValueError, match="must be a public address"):
        check_url(f"https://{host}/", PORTS, allow_loopback=True)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://your-app.com/webhooks/job-events", WebhookUrl(True, "your-app.com", 443, "/webhooks/job-events")),
        ("HTTPS://Your-App.COM", WebhookUrl(True, "your-app.com", 443, "/")),
        ("https://a.example.:443?x=1&y=%20#part", WebhookUrl(True, "a.example", 443, "/?x=1&y=%20")),
        ("https://8.8.8.8/", WebhookUrl(True, "8.8.8.8", 443, "/")),
        ("https://[2606:4700:4700::1111]/", WebhookUrl(True, "2606:4700:4700::1111", 443, "/")),
        ("https://xn--r8jz45g.jp/a@b", WebhookUrl(True, "xn--r8jz45g.jp", 443, "/a@b")),
    ],
)
def test_urls_are_taken_apart(url: str, target: WebhookUrl) -> None:
    assert check_url(url, PORTS) == target


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://a.example/", "a.example"),
        ("https://a.example:8443/", "a.example:8443"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_the_host_header_names_the_port_only_where_it_is_not_the_schemes_own(url: str, authority: str) -> None:
    assert WebhookUrl.parse(url).authority == authority


@given(st.text(max_size=40).map("https://{}".format) | st.text(max_size=40))
def test_any_text_gives_a_target_or_a_clear_refusal(url: str) -> None:
    told = ""
    try:
        target = check_url(url, PORTS)
    except ValueError as error:
        told = str(error)
    assert told.startswith("must") if told else (target.tls, target.port, target.path[0]) == (True, 443, "/")
