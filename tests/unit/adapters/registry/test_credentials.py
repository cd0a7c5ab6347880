import base64
import json

import pytest

from knative_lambda.adapters.registry.credentials import basic_credentials

PAIR = base64.b64encode(b"user:password").decode()


@pytest.fixture
def credentials(tmp_path):
    def read(config, host="registry:5000"):
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / "config.json").write_text(text)
        return basic_credentials(str(tmp_path), host)

    return read


@pytest.mark.parametrize("key", ["registry:5000", "https://registry:5000", "http://registry:5000"])
def test_credentials_are_found_however_the_registry_is_written(credentials, key):
    assert credentials({"auths": {key: {"auth": PAIR}}}) == PAIR


def test_user_and_password_may_stand_apart(credentials):
    entry = {"username": "user", "password": "password"}
    assert credentials({"auths": {"registry:5000": entry}}) == PAIR


@pytest.mark.parametrize(
    "config",
    [
        "",
        "not JSON",
        "[]",
        "5",
        {},
        {"auths": None},
        {"auths": []},
        {"auths": {"other": {"auth": PAIR}}},
        {"auths": {"registry:5000": "text"}},
        {"auths": {"registry:5000": {}}},
        {"auths": {"registry:5000": {"auth": "not base64!"}}},
        {"auths": {"registry:5000": {"auth": 5}}},
    ],
    ids=str,
)
def test_without_usable_credentials_one_stays_anonymous(credentials, config):
    assert credentials(config) is None


def test_without_a_file_one_stays_anonymous(tmp_path):
    assert basic_credentials(None, "registry") is None
    assert basic_credentials(str(tmp_path / "nowhere"), "registry") is None
