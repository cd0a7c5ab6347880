import pytest

from lambda_oci.proxies import proxy_for

PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("server", "variable", "is_used"),
    [
        ("https://10.96.0.1:443", "HTTPS_PROXY", True),
        ("https://10.96.0.1:443", "https_proxy", True),
        ("https://10.96.0.1:443", "HTTP_PROXY", False),
        ("http://127.0.0.1:8001", "HTTP_PROXY", True),
        ("http://127.0.0.1:8001", "HTTPS_PROXY", False),
    ],
)
def test_a_proxy_is_the_one_of_the_servers_scheme(monkeypatch, server, variable, is_used):
    monkeypatch.setenv(variable, PROXY)
    assert proxy_for(server) == (PROXY if is_used else None)


@pytest.mark.parametrize(
    ("server", "excluded", "is_used"),
    [
        ("https://10.96.0.1:443", "10.96.0.1", False),
        ("https://10.96.0.1:443", "example.test, 10.96.0.0/12", False),
        ("https://10.96.0.1:443", "10.96.0.9/12", False),
        ("https://10.96.0.1:443", "10.0.0.0/16,not/a-network,", True),
        ("https://[fd00::1]:443", "fd00::/8", False),
        ("https://[fd00::1]:443", "10.0.0.0/8", True),
        ("https://api.cluster.test", ".cluster.test", False),
        ("https://api.cluster.test", "10.96.0.0/12", True),
        ("https://api.cluster.test", "*", False),
        ("https://api.cluster.test:6443", "api.cluster.test:6443", False),
        ("https://api.cluster.test:6443", "api.cluster.test:443", True),
        ("https://me@api.cluster.test", "api.cluster.test", False),
    ],
)
def test_names_and_networks_are_reached_without_it(monkeypatch, server, excluded, is_used):
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", excluded)
    assert proxy_for(server) == (PROXY if is_used else None)
