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


@pytest.mark.parametrize("auths", [{}, {"other.test": entry("x")}, {"registry.test:5000": {}}])
def test_without_an_entry_we_go_anonymously(find, auths):
    assert find(auths) is None


def test_without_a_file_we_go_anonymously(tmp_path):
    assert find_credentials(tmp_path, LOCATION) is None
    assert find_credentials(None, LOCATION) is None


def test_a_broken_entry_is_named(find):
    with pytest.raises(SetupError, match=r"config\.json") as caught:
        find({"registry.test:5000": {"auth": "secret!"}})
    assert "secret" not in caught.value.message
