"""Image URLs name a folder or a registry, and nothing that could reach elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_oci.errors import RejectedError
from lambda_oci.references import (
    LayoutLocation,
    RegistryLocation,
    check_tag,
    is_image,
    normal_image,
    normal_origin,
    parse_image,
    parse_repository,
)

DIGEST = "sha256:" + "0" * 64


def test_a_file_url_is_a_folder():
    location, digest = parse_image(f"file:///data/a%20b/fn@{DIGEST}")
    assert (location, digest) == (LayoutLocation(Path("/data/a b/fn")), DIGEST)


def test_an_http_url_is_a_repository_of_a_registry():
    location = parse_repository("http://127.0.0.1:5000/tenant/fn")
    assert location == RegistryLocation("http://127.0.0.1:5000", "tenant/fn")
    assert location.host == "127.0.0.1:5000"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://REGISTRY.test:443/fn", "https://registry.test"),
        ("http://registry.test:80/fn", "http://registry.test"),
        ("https://registry.test:80/fn", "https://registry.test:80"),
        ("HTTPS://[2001:DB8::1]:443/fn", "https://[2001:db8::1]"),
    ],
)
def test_a_registry_has_one_name(url, origin):
    assert parse_repository(url) == RegistryLocation(origin, "fn")
    assert normal_origin(url) == origin


@pytest.mark.parametrize(
    "image",
    [
        "registry.test/a/b@x",
        "REGISTRY.test/a/b@x",
        "registry.test:443/a/b@x",
        "registry.test:00443/a/b@x",
        "registry.test./a/b@x",
    ],
)
def test_an_image_has_one_name_whatever_the_scheme_is(image):
    assert normal_image(image) == "registry.test/a/b@x"
    assert normal_image("registry.test:5000/a") == "registry.test:5000/a"
    assert normal_image("registry.test:05000/a") == "registry.test:5000/a"


@pytest.mark.parametrize(
    "host",
    ["docker.io/", "index.docker.io/", "registry-1.docker.io:443/", "registry.hub.docker.com/", ""],
)
def test_an_image_of_docker_hub_has_one_name_even_without_a_host(host):
    assert normal_image(f"{host}a/b@x") == "docker.io/a/b@x"
    assert normal_image("docker.io") == "docker.io"
    assert normal_image("localhost/a") == "localhost/a"


@pytest.mark.parametrize("host", ["10.1.0.2", "10.1.2", "012.1.0.2", "0xa010002", "167837698"])
def test_an_address_has_one_name_however_it_is_written(host):
    assert normal_image(f"{host}:5000/a@x") == "10.1.0.2:5000/a@x"


@pytest.mark.parametrize("name", ["1.2.3.4.5:5000/a", "docker.io/167837698/a", "0xg.example/a"])
def test_what_only_looks_like_an_address_stays_as_it_is(name):
    assert normal_image(name) == name


_AT = "@sha256:" + "a" * 64


@pytest.mark.parametrize(
    "name",
    ["a", "a/b__c", "REGISTRY.example/a", "registry:5000/a/b.c-d", "Registry/a", "a/b:v1.0_X-2"],
)
def test_a_name_that_container_runtimes_read_is_an_image(name):
    assert is_image(name + _AT)


@pytest.mark.parametrize(
    "image",
    [
        *(
            f"{name}{_AT}"
            for name in (
                *("registry.example//a/b", "registry.example/a//b", "registry.example/a/"),
                *("registry.example/./a", "registry.example/x/../a", "registry.example/a/..", "/a"),
                *("registry.example./a", "registry..example/a", "registry-.example/a", "a_b.c/a"),
                *("registry.example:/a", "registry.example:4a/a", "registry.example:1:2/a", "a:"),
                *("registry.example/A", "registry.example/a/B", "registry.example/a%2fb", "a b"),
                *(
                    "user:secret@registry.example/a",
                    "https://registry.example/a",
                    "b\u00fccher.de/a",
                ),
                *(
                    "[2001:db8::1]:5000/a",
                    "a/b:v1:v2",
                    "a/b:-v",
                    "a___b",
                    "a.-b",
                    "-a",
                    "a/b\n",
                    "",
                ),
            )
        ),
        *("a", "a:v1", "a@sha256:" + "A" * 64, "a@sha256:" + "a" * 63, f"a{_AT}\n", f"a{_AT}{_AT}"),
    ],
)
def test_a_name_that_container_runtimes_refuse_is_no_image(image):
    assert not is_image(image)


@pytest.mark.parametrize(
    "url",
    [
        "registry/fn",
        "https://host:port/fn",
        "https://host:99999/fn",
        "https://[host/fn",
        "ftp://host/fn",
        "file://host/folder",
        "file:///",
        "https://host",
        "https://host/UPPER",
        "https://host/a/../b",
        "https://user:secret@host/fn",
        "https://host/fn?token=secret",
        "https://host/fn#x",
    ],
)
def test_other_urls_are_refused_without_showing_secrets(url):
    with pytest.raises(RejectedError) as caught:
        parse_repository(url)
    assert caught.value.reason == "InvalidImageReference"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("url", ["file:///a", "file:///a@sha256:0", "file:///a:tag", "@" + DIGEST])
def test_an_image_has_a_digest(url):
    with pytest.raises(RejectedError):
        parse_image(url)


@given(tag=st.text(max_size=200))
def test_a_tag_is_what_registries_take_or_refused(tag):
    try:
        accepted = check_tag(tag)
    except RejectedError:
        return
    assert accepted.isascii()
    assert len(accepted) <= 128
    assert not set(accepted) & set("/:@ ?#")
