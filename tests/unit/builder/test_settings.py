"""A wrong setting is named, and its value never shown."""

from __future__ import annotations

import pytest

from lambda_builder.errors import PlatformError
from lambda_builder.settings import (
    ContextSettings,
    Environment,
    InstallSettings,
    ResultSettings,
)


@pytest.fixture
def values(tmp_path):
    return {
        "BUILD_WORKSPACE": str(tmp_path),
        "RUNTIMES_DIR": str(tmp_path),
        "CONTEXT_URL": "http://127.0.0.1/context?signature=secret",
        "CONTEXT_SHA256": "0" * 64,
        "CONTEXT_MAX_BYTES": "1000",
        "SOURCE_MAX_BYTES": "1000",
        "SOURCE_MAX_FILES": "10",
        "RUNTIME": "python3.11",
        "BUILD_TIMEOUT_SECONDS": "5",
        "RESULT_URL": "http://127.0.0.1/result?signature=secret",
        "RESULT_FIELDS": '{"policy": "secret"}',
        "RESULT_MAX_BYTES": "1000",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONTEXT_URL", ""),
        ("CONTEXT_SHA256", "secret"),
        ("CONTEXT_MAX_BYTES", "-1"),
        ("SOURCE_MAX_BYTES", "0"),
        ("SOURCE_MAX_FILES", "ten"),
    ],
)
def test_a_wrong_setting_is_named(values, name, value):
    with pytest.raises(PlatformError) as caught:
        ContextSettings.read(Environment(values | {name: value}))
    assert caught.value.reason == "InvalidSettings"
    assert name in caught.value.message
    assert "secret" not in caught.value.message


def test_a_flag_is_true_or_false(values):
    flags = {"ALLOW_SOURCE_PACKAGES": "true"}
    assert InstallSettings.read(Environment(values | flags)).allow_source_packages
    assert not InstallSettings.read(Environment(values)).allow_source_packages
    with pytest.raises(PlatformError, match="ALLOW_SOURCE_PACKAGES"):
        InstallSettings.read(Environment(values | {"ALLOW_SOURCE_PACKAGES": "maybe"}))


def test_settings_do_not_show_what_may_be_secret(values):
    credentials = {"PACKAGE_INDEX_CREDENTIALS": '{"username": "u", "password": "secret"}'}
    for settings in (ContextSettings, ResultSettings, InstallSettings):
        assert "secret" not in repr(settings.read(Environment(values | credentials)))
    assert "secret" not in repr(Environment(values))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RESULT_URL", ""),
        ("RESULT_FIELDS", "secret"),
        ("RESULT_FIELDS", '{"a": 1}'),
        ("RESULT_FIELDS", "[]"),
        ("RESULT_MAX_BYTES", "0"),
    ],
)
def test_a_wrong_setting_of_the_result_is_named(values, name, value):
    with pytest.raises(PlatformError, match=name) as caught:
        ResultSettings.read(Environment(values | {name: value}))
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PACKAGE_INDEX_CREDENTIALS", "secret"),
        ("PACKAGE_INDEX_CREDENTIALS", '{"username": "u"}'),
        ("PACKAGE_INDEX_CREDENTIALS", '{"username": "u", "password": "secret", "more": ""}'),
        ("PACKAGE_URL_PREFIXES", "https://secret/"),
        ("PACKAGE_URL_PREFIXES", "[1]"),
        ("ALLOW_GIT_PACKAGES", "yes"),
        ("REQUIRE_HASHES", "1"),
    ],
)
def test_a_wrong_setting_of_the_policy_is_named(values, name, value):
    with pytest.raises(PlatformError, match=name) as caught:
        InstallSettings.read(Environment(values | {name: value}))
    assert "secret" not in caught.value.message


def test_the_policy_is_passed_on_as_it_is_set(values):
    policy = {"PACKAGE_URL_PREFIXES": '["https://a/"]', "REQUIRE_HASHES": "true"}
    assert InstallSettings.read(Environment(values | policy)).policy == policy
    assert InstallSettings.read(Environment(values)).policy == {}
