"""What a browser gets from a function that takes events: the same page in every language."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import Answer, FunctionProcess

    Functions = Callable[..., FunctionProcess]

RUNTIMES = Path(__file__).parents[3] / "runtimes"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def page(process: FunctionProcess, path: str = "/", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return process.request("GET", path, headers={"accept": BROWSER, **named})


def test_a_browser_learns_what_it_is_and_how_to_call_it(function: Functions) -> None:
    answer = page(function("describe"), host="127.0.0.1:8080", x_forwarded_prefix="/shop/greeter")
    text = answer.body.decode()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<h1>greeter</h1>" in text
    assert "<code>cloudevent</code>" in text
    assert "kn-lambda invoke greeter -n shop --data" in text
    assert "curl &#39;" not in text
    assert "curl 'http://127.0.0.1:8080/shop/greeter' " in text
    # `kn-lambda run` serves it too, and there is nothing to invoke before a deployment.
    assert text.index("curl '") < text.index("once it is deployed") < text.index("kn-lambda invoke")
    assert "%" not in re.sub(r"<style>.*</style>", "", text, flags=re.DOTALL)


def test_the_default_namespace_needs_no_option(function: Functions) -> None:
    process = function("describe", FUNCTION_NAME="default/greeter")
    assert "kn-lambda invoke greeter --data" in page(process).body.decode()


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"host": "greeter.shop.example.com"}, "http://greeter.shop.example.com/"),
        ({"host": "a.example", "x_forwarded_proto": "https"}, "https://a.example/"),
        ({"host": "[::1]:8080"}, "http://[::1]:8080/"),
        ({"host": "a.example", "x_forwarded_host": "evil.example"}, "http://a.example/"),
    ],
)
def test_the_address_is_the_one_that_was_opened(
    function: Functions, headers: dict[str, str], address: str
) -> None:
    assert f"curl '{address}' " in page(function("describe"), **headers).body.decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "a'$(touch stolen)"},
        {"host": "a.example<script>alert(1)</script>"},
        {"host": "a.example';id;'"},
        {"host": "user@a.example"},
        {"host": "a.example", "x_forwarded_proto": "javascript"},
        {"host": "a.example", "x_forwarded_prefix": "/shop/greeter'><script>"},
        {"host": "a.example", "x_forwarded_prefix": "/../.."},
        {"host": "a.example", "x_forwarded_prefix": "//evil.example/x"},
    ],
)
def test_what_a_request_says_reaches_neither_the_page_nor_a_shell(
    function: Functions, headers: dict[str, str]
) -> None:
    path = "/<script>alert(1)</script>'%22$(id)?<b>"
    text = page(function("describe"), path.replace(" ", "+"), **headers).body.decode()
    addresses = re.findall("curl '([^']*)' ", text)
    assert addresses in (["http://a.example/"], ["http://THE-ADDRESS-OF-THIS-PAGE"])
    for strange in ("script", "alert", "$(", "evil", "javascript", "stolen", "<b>"):
        assert strange not in text


def test_it_may_load_and_run_nothing(function: Functions) -> None:
    answer = page(function("describe"))
    (style,) = re.findall(rb"<style>(.*)</style>", answer.body, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{digest}'", "img-src data:",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ]  # fmt: skip
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_people_without_a_mouse_or_a_screen_can_use_it(function: Functions) -> None:
    text = page(function("describe")).body.decode()
    tags: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))  # type: ignore[method-assign]
    parser.feed(text)
    assert ("html", {"lang": "en"}) in tags
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in tags
    # What may be wider than the screen is scrolled by keyboard, and has a name.
    scrolled = [attributes for tag, attributes in tags if tag == "pre"]
    assert [each["tabindex"] for each in scrolled] == ["0", "0"]
    assert all(each["role"] == "region" and each["aria-label"] for each in scrolled)
    assert [tag for tag, _ in tags if tag in {"h1", "h2", "main"}] == ["main", "h1", "h2", "h2"]


def test_its_head_is_the_same_without_a_body(function: Functions) -> None:
    process = function("describe")
    whole = page(process)
    head = process.request("HEAD", "/", headers={"accept": BROWSER})
    assert (head.status, head.body) == (200, b"")
    for name in ("content-type", "content-length", "content-security-policy"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("method", "accept"),
    [
        ("GET", "*/*"),
        ("GET", "application/json"),
        ("GET", "text/html-like"),
        ("GET", "application/json;a=text/html"),
        ("GET", "text/html;q=0, */*"),
        ("PUT", BROWSER),
        ("OPTIONS", BROWSER),
    ],
)
def test_everything_else_is_405_as_ever(function: Functions, method: str, accept: str) -> None:
    answer = function("describe").request(method, "/", headers={"accept": accept})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["reason"] == "MethodNotAllowed"


@pytest.mark.parametrize("accept", ["TEXT/HTML", "application/json , text/html;q=0.5"])
def test_a_type_is_read_as_http_writes_it(function: Functions, accept: str) -> None:
    assert function("describe").request("GET", "/", headers={"accept": accept}).status == 200


def test_it_is_one_text_for_all_languages() -> None:
    pages = [file.read_bytes() for file in RUNTIMES.glob("*/server/lambda_runtime/page.html")]
    assert (len(pages), len(set(pages))) == (2, 1)
