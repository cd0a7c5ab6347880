"""Credentials come from Docker's own file, the most special entry first."""

from __future__ import annotations

import base64
import json

import pytest

from lambda_oci.credentials import find_credentials
from lambda_oci.errors import SetupError
from lambda_oci.references import RegistryLocation

LOCATION = RegistryLocation("https://registry.test:5000", "tenant/fn")


def entry(name):
    return {"auth": base64.b64encode(f"{name}:pass:word".encode()).decode()}


@pytest.fixture
def find(tmp_path):
    def find(auths):
        (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
        return find_credentials(tmp_path, LOCATION)

    return find


@pytest.mark.parametrize(
    "key",
    [
        "registry.test:5000",
        "https://registry.test:5000",
        "https://registry.test:5000/v1/",
        "https://registry.test:5000/v2/",
        "http://registry.test:5000",
        "REGISTRY.test:5000",
        "registry.test:5000/tenant",
        "registry.test:5000/tenant/fn",
    ],
)
def test_an_entry_is_found_however_its_key_is_written(find, key):
    credentials = find({"other.test": entry("other"), key: entry("me")})
    assert (credentials.username, credentials.password) == ("me", "pass:word")


def test_the_most_special_entry_wins(find):
    auths = {
        "registry.test:5000": entry("registry"),
        "registry.test:5000/tenant": entry("tenant"),
        "registry.test:5000/ten": entry("neighbour"),
    }
    assert find(auths).username == "tenant"


def test_plain_names_and_tokens_are_taken(find):
    plain = find({"registry.test:5000": {"username": "me", "password": "secret"}})
    assert plain.basic() == "Basic " + base64.b64encode(b"me:secret").decode()
    assert find({"registry.test:5000": {"identitytoken": "t"}}).identity_token == "t"


def test_credentials_are_never_shown(find):
    shown = repr(find({"registry.test:5000": entry("me") | {"identitytoken": "token"}}))
    assert "pass" not in shown.replace("password", "")
    assert "token'" not in shown


@pytest.mark.parametrize(
    ("origin", "key"),
    [
        ("https://registry.test", "registry.test:443"),
        ("https://registry.test", "https://registry.test:443/v2/"),
        ("http://registry.test", "registry.test:80"),
        ("https://registry-1.docker.io", "https://index.docker.io/v1/"),
        ("https://docker.io", "docker.io"),
        ("https://[2001:db8::1]:5000", "[2001:DB8::1]:5000"),
    ],
)
def test_one_place_has_many_names(tmp_path, origin, key):
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"[": {}, key: entry("me")}}))
    location = RegistryLocation(origin, "tenant/fn")
    assert find_credentials(tmp_path, location).username == "me"


def test_of_two_keys_for_one_place_the_plain_one_wins(find):
    plain, other = "registry.test:5000", "https://registry.test:5000/v1/"
    assert find({plain: entry("plain"), other: entry("other")}).username == "plain"
    assert find({other: entry("other"), plain: entry("plain")}).username == "plain"


@pytest.mark.parametrize("key", ["registry.test", "registry.test:5001", "registry.test:5000/ten"])
def test_credentials_of_a_neighbour_are_not_taken(find, key):
    assert find({key: entry("neighbour")}) is None


@pytest.mark.parametrize(
    "auths",
    [
        {},
        None,
        [],
        {"other.test": entry("x")},
        {"registry.test:5000": {}},
        {"registry.test:5000": "text"},
        {"registry.test:5000": {"auth": 5}},
    ],
    ids=repr,
)
def test_without_an_entry_we_go_anonymously(find, auths):
    assert find(auths) is None


def test_without_a_file_we_go_anonymously(tmp_path):
    assert find_credentials(tmp_path, LOCATION) is None
    assert find_credentials(None, LOCATION) is None


@pytest.mark.parametrize("auth", ["secret!", "secret\u00e9", "c2VjcmV0/w=="])
def test_a_broken_entry_is_named(find, auth):
    with pytest.raises(SetupError, match=r"config\.json") as caught:
        find({"registry.test:5000": {"auth": auth}})
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "content", ["", "not JSON", "[]", "5", "[" * 100_000, "\xff"], ids=range(6)
)
def test_a_broken_file_is_named(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(SetupError, match=r"config\.json") as caught:
        find_credentials(tmp_path, LOCATION)
    assert caught.value.reason == "InvalidSettings"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "config.json").mkdir()
    with pytest.raises(SetupError, match="cannot be read"):
        find_credentials(tmp_path, LOCATION)
