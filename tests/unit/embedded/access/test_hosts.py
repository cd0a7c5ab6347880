from __future__ import annotations

import pytest

from lambda_embedded.access.hosts import (
    InvalidHostError,
    host_name,
    is_own,
    matches,
    parse_allowed_host,
)


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("127.0.0.1:8080", "127.0.0.1"),
        ("LocalHost", "localhost"),
        ("[::1]:8080", "::1"),
        ("hello.default.localhost:80", "hello.default.localhost"),
        ("", None),
        ("a@b", None),
        ("a/b", None),
        ("a:b", None),
        ("a:8080:8080", None),
        ("[x", None),
        ("a b:1x", None),
    ],
)
def test_an_authority_is_a_host_and_perhaps_a_port(authority, name):
    assert host_name(authority) == name


@pytest.mark.parametrize(
    "name", ["localhost", "a.localhost", "a.b.localhost", "127.0.0.1", "127.9.9.9", "::1"]
)
def test_names_that_no_name_server_answers_for_are_the_machines_own(name):
    assert is_own(name)


@pytest.mark.parametrize(
    "name",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost",
        "0.0.0.0", "10.0.0.1", "::", "127.1", "2130706433", "localhost.",
    ],
)  # fmt: skip
def test_all_other_names_are_not(name):
    assert not is_own(name)


def test_an_allowed_name_is_that_name_or_with_a_star_every_name_below():
    assert matches("tunnel.example.com", parse_allowed_host("Tunnel.Example.com."))
    assert not matches("a.tunnel.example.com", parse_allowed_host("tunnel.example.com"))
    assert matches("a.b.example.com", parse_allowed_host("*.example.com"))
    assert not matches("example.com", parse_allowed_host("*.example.com"))
    assert not matches("evilexample.com", parse_allowed_host("*.example.com"))


@pytest.mark.parametrize(
    "text", ["", "*", "*.", "https://a.example", "a.example:443", "a/b", "a..b", "a.*.b", "a b"]
)
def test_what_is_no_name_is_rejected_with_the_way_out(text):
    with pytest.raises(InvalidHostError, match=r"without scheme, port or path"):
        parse_allowed_host(text)
