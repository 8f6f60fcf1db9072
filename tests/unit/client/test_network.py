"""Proxies and certificates of the environment."""

import ssl
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jobtrack_client as jt
from jobtrack_client._api import network
from jobtrack_client._api._sync.transports import Route
from tests.unit.client.service import GUID

PROXY = "http://proxy.test:3128"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *map(str.upper, VARIABLES), "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)


def address(url: str) -> str | None:
    found = network.proxy(url)
    return found and found.url


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "api.localhost",
        "127.0.0.1",
        "127.8.9.10",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",  # noqa: S104 - an address to connect to
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https", "ws", "wss"])
@pytest.mark.parametrize("value", [PROXY, "socks5://proxy.test", "rubbish://"])
def test_loopback_never_goes_through_a_proxy(
    host: str, scheme: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, value)
    assert address(f"{scheme}://{host}:8080/path") is None


@pytest.mark.parametrize(
    ("variables", "url", "through"),
    [
        ({}, "https://jobs.test", None),
        ({"HTTPS_PROXY": PROXY}, "https://jobs.test", PROXY),
        ({"HTTPS_PROXY": PROXY}, "wss://jobs.test", PROXY),
        ({"HTTPS_PROXY": PROXY}, "http://jobs.test", None),
        ({"http_proxy": PROXY}, "http://jobs.test", PROXY),
        ({"ALL_PROXY": PROXY}, "http://jobs.test", PROXY),
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": "socks5://proxy.test"}, "https://jobs.test", PROXY),
        ({"HTTPS_PROXY": "proxy.test:3128"}, "https://jobs.test", PROXY),
        ({"HTTPS_PROXY": ""}, "https://jobs.test", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, "https://jobs.test", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "other.test, .test"}, "https://jobs.test", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "jobs.test:8443"}, "https://jobs.test:8443", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "jobs.test:8443"}, "https://jobs.test", PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "2001:db8::5"}, "https://[2001:db8::5]:8443", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "[2001:db8::5]"}, "https://[2001:db8::5]", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "[::1"}, "https://jobs.test", PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "obs.test"}, "https://jobs.test", PROXY),
        ({"HTTPS_PROXY": PROXY}, "https://128.0.0.1", PROXY),
        ({"HTTPS_PROXY": PROXY}, "https://127.example.test", PROXY),
    ],
)
def test_which_proxy_is_used(
    variables: dict[str, str], url: str, through: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert address(url) == through


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ALL_PROXY", "socks5://me:hidden@proxy.test:1080", r"ALL_PROXY=socks5://proxy\.test:1080 is a SOCKS proxy"),
        ("ALL_PROXY", "SOCKS5H://proxy.test", r"ALL_PROXY=SOCKS5H://proxy\.test is a SOCKS proxy"),
        ("HTTPS_PROXY", "ftp://me:hidden@proxy.test", "HTTPS_PROXY is not the address of a proxy: 'ftp://proxy.test'"),
        ("https_proxy", "http://", "https_proxy is not the address of a proxy"),
        ("HTTPS_PROXY", "http://me:hidden@proxy.test:port", "'http://proxy.test:port'"),
        ("HTTPS_PROXY", "me:hidden@proxy.test:port", "'proxy.test:port'"),
        ("HTTPS_PROXY", "http://proxy.test:0", "not the address"),
        ("HTTPS_PROXY", "http://[::1", "not the address"),
        ("HTTPS_PROXY", "//proxy.test\t", "not the address"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error_of_a_call_not_of_the_client(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with jt.Client("https://jobs.test", "t", GUID, GUID) as client:
        with pytest.raises(jt.ConfigurationError, match=told) as raised:
            client.queue()
        assert "hidden" not in str(raised.value)


@given(
    value=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")),
    name=st.sampled_from(VARIABLES),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_of_a_variable_breaks_the_client(value: str, name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("http_proxy", PROXY)
        patch.setenv(name, value)
        jt.Client("http://jobs.test", "t", GUID, GUID).close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSL_CERT_FILE", "/"),
        ("SSL_CERT_FILE", __file__),
        ("SSL_CERT_DIR", "/nonexistent"),
        ("SSL_CERT_DIR", "/nonexistent:" + __file__),
        ("SSLKEYLOGFILE", "/nonexistent/keys"),
    ],
)
def test_a_certificate_that_cannot_be_read_is_an_error_of_a_call(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with (
        jt.Client("https://jobs.test", "t", GUID, GUID) as client,
        pytest.raises(jt.ConfigurationError, match=f"TLS cannot be set up with {name}={value}: "),
    ):
        client.queue()


def test_certificates_are_loaded_only_where_they_are_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    plain = network.tls("http://jobs.test", None)
    assert plain.verify_mode is ssl.CERT_REQUIRED
    assert not plain.get_ca_certs()
    with pytest.raises(jt.ConfigurationError):
        network.tls("http://jobs.test", network.Proxy("https://proxy.test", "HTTP_PROXY"))
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", f"/nonexistent:{tmp_path}")
    assert not network.tls("https://jobs.test", None).get_ca_certs()
    monkeypatch.delenv("SSL_CERT_DIR")
    assert network.tls("https://jobs.test", None).get_ca_certs()
    assert network.tls("HTTPS://jobs.test", None).get_ca_certs()


@pytest.mark.parametrize("url", ["http://proxy.test", "https://proxy.test", "HTTPS://me:hidden@proxy.test"])
@pytest.mark.parametrize("service", ["http://jobs.test", "https://jobs.test"])
def test_every_kind_of_proxy_is_one_that_httpx_takes(url: str, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", url)
    route = Route(service)
    assert route.proxy == (url, "ALL_PROXY")
    route.close()


def test_an_answer_that_may_be_the_proxys_names_it() -> None:
    from jobtrack_client._api.responses import read_response

    proxy = network.Proxy("http://me:hidden@proxy.test:3128", "HTTP_PROXY")
    response = httpx.Response(502, text="<html>", extensions={"proxy": proxy})
    with pytest.raises(
        jt.ServerError, match=r"Bad Gateway \(through the proxy http://proxy\.test:3128 \(HTTP_PROXY\)\)"
    ):
        read_response(response, lambda: 0)
