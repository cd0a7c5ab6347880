"""Connections go through the machine's proxy, and errors never show a URL."""

from __future__ import annotations

import pytest
import urllib3
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from lambda_oci.errors import UnavailableError
from lambda_oci.http import connection_pool, explain


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_a_proxy_hosts_are_reached_directly():
    assert not isinstance(connection_pool("https://registry.test"), urllib3.ProxyManager)


def test_the_proxy_of_the_scheme_is_used(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    assert isinstance(connection_pool("https://registry.test"), urllib3.ProxyManager)
    assert not isinstance(connection_pool("http://registry.test"), urllib3.ProxyManager)


def test_hosts_that_need_no_proxy_are_reached_directly(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    monkeypatch.setenv("no_proxy", ".test")
    assert not isinstance(connection_pool("https://registry.test"), urllib3.ProxyManager)


@pytest.mark.parametrize("proxy", ["127.0.0.1:3128", "http://127.0.0.1:3128"])
def test_a_proxy_may_lack_its_scheme_as_in_other_clients(monkeypatch, proxy):
    monkeypatch.setenv("https_proxy", proxy)
    pool = connection_pool("https://registry.test")
    assert isinstance(pool, urllib3.ProxyManager)
    assert pool.proxy.url == "http://127.0.0.1:3128"


def test_a_proxy_gets_its_password(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:p%40ss@127.0.0.1:3128")
    pool = connection_pool("https://registry.test")
    assert isinstance(pool, urllib3.ProxyManager)
    assert pool.proxy_headers == {"proxy-authorization": "Basic dXNlcjpwQHNz"}


@pytest.mark.parametrize("proxy", ["socks5://secret:1", "secret proxy", "http://[secret"])
def test_a_proxy_that_cannot_be_used_is_an_error_that_does_not_show_it(monkeypatch, proxy):
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(UnavailableError, match="HTTPS_PROXY") as raised:
        connection_pool("https://registry.test")
    assert "secret" not in raised.value.message


def test_addresses_within_a_network_that_needs_no_proxy_are_reached_directly(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    monkeypatch.setenv("no_proxy", "cluster.local,10.0.0.0/8,2001:db8::/32")
    for host in ("10.1.2.3:5000", "[2001:db8::1]"):
        assert not isinstance(connection_pool(f"https://{host}"), urllib3.ProxyManager)
    assert isinstance(connection_pool("https://192.168.0.1"), urllib3.ProxyManager)


URL = "/context?signature=secret"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NewConnectionError(None, "refused secret"), "no connection"),
        (NameResolutionError("secret", None, OSError()), "name is not known"),
        (ReadTimeoutError(None, URL, "secret"), "no response in time"),
        (SSLError("secret"), "SSL_CERT_FILE"),
        (ProtocolError("secret"), "connection broke"),
    ],
)
def test_an_error_is_explained_without_its_url(error, text):
    wrapped: HTTPError = MaxRetryError(None, URL, error)
    for shown in (explain(error), explain(wrapped)):
        assert text in shown
        assert "secret" not in shown
