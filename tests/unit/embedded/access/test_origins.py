from __future__ import annotations

import pytest
from multidict import CIMultiDict

from lambda_embedded.access.origins import (
    InvalidOriginError,
    is_same,
    page_of,
    parse_allowed_origin,
)

IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
LINK = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


def page(method="GET", **headers):
    return page_of(
        method, CIMultiDict({name.replace("_", "-"): text for name, text in headers.items()})
    )


def test_a_program_is_no_page():
    assert page() is None
    assert page("POST") is None


def test_a_page_is_known_by_its_origin():
    assert page("POST", Origin="http://Evil.example") == "http://evil.example"
    assert page("POST", Origin="null") == "null"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_that_sends_no_origin_is_known_by_where_it_says_to_be(site):
    asked = {**IMAGE, "Sec-Fetch-Site": site}
    assert page(**asked, Referer="http://evil.example/a") == "http://evil.example"
    assert page(**asked) == "null"


def test_a_page_over_plain_http_is_known_by_where_it_says_to_come_from():
    assert page(Referer="http://Evil.example/a?b") == "http://evil.example"
    assert page(Referer="http://[") is None
    assert page(**IMAGE, Referer="http://[") == "null"


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_the_address_bar_and_own_pages_are_no_foreign_page(site):
    assert page(**{**IMAGE, "Sec-Fetch-Site": site}) is None


def test_a_link_may_be_followed_but_nothing_shown_inside_of_a_page():
    assert page(**LINK) is None
    assert page(**{**LINK, "Sec-Fetch-Dest": "iframe"}) == "null"
    assert page("POST", **LINK) == "null"


@pytest.mark.parametrize(
    ("origin", "authority", "same"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://localhost:8080", "LOCALHOST:8080", True),
        ("https://tunnel.example", "tunnel.example", True),
        ("https://tunnel.example", "tunnel.example:443", True),
        ("http://tunnel.example", "tunnel.example:80", True),
        ("http://127.0.0.1:3000", "127.0.0.1:8080", False),
        ("http://localhost:8080", "127.0.0.1:8080", False),
        ("ftp://127.0.0.1:8080", "127.0.0.1:8080", False),
        ("null", "null", False),
        ("", "", False),
    ],
)
def test_a_page_is_our_own_where_it_comes_from_the_place_that_it_asks(origin, authority, same):
    assert is_same(origin, authority) is same


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("HTTP://LocalHost:3000/", "http://localhost:3000"),
        ("https://app.example:443", "https://app.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_allowed_origin_is_kept_as_browsers_write_it(text, origin):
    assert parse_allowed_origin(text) == origin


@pytest.mark.parametrize(
    "text", ["", "*", "null", "localhost:3000", "http://", "http://a/b", "ftp://a", "http://a b"]
)
def test_what_is_no_origin_or_any_is_rejected_with_the_way_out(text):
    with pytest.raises(InvalidOriginError, match=r"http://localhost:3000"):
        parse_allowed_origin(text)
