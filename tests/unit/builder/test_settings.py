"""A wrong setting is named, and its value never shown."""

from __future__ import annotations

import pytest

from lambda_builder.errors import PlatformError
from lambda_builder.settings import (
    FETCH_VARIABLES,
    BuildSettings,
    Environment,
    FetchSettings,
    PublishSettings,
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
        "IMAGE_REPOSITORY_URL": "file:///r",
        "IMAGE_TAG": "t",
        "BASE_IMAGE_URL": "file:///b@sha256:0",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BUILD_WORKSPACE", "/does/not/exist"),
        ("CONTEXT_URL", ""),
        ("CONTEXT_SHA256", "secret"),
        ("CONTEXT_MAX_BYTES", "-1"),
        ("SOURCE_MAX_BYTES", "0"),
        ("SOURCE_MAX_FILES", "ten"),
    ],
)
def test_a_wrong_setting_is_named(values, name, value):
    with pytest.raises(PlatformError) as caught:
        FetchSettings.read(Environment(values | {name: value}))
    assert caught.value.reason == "InvalidSettings"
    assert name in caught.value.message
    assert "secret" not in caught.value.message


def test_a_flag_is_true_or_false(values):
    flags = {"ALLOW_SOURCE_PACKAGES": "true"}
    assert BuildSettings.read(Environment(values | flags)).allow_source_packages
    assert not BuildSettings.read(Environment(values)).allow_source_packages
    with pytest.raises(PlatformError, match="ALLOW_SOURCE_PACKAGES"):
        BuildSettings.read(Environment(values | {"ALLOW_SOURCE_PACKAGES": "maybe"}))


def test_settings_do_not_show_what_may_be_secret(values):
    assert "secret" not in repr(FetchSettings.read(Environment(values)))
    assert "secret" not in repr(Environment(values))


@pytest.mark.parametrize(
    ("settings", "own"),
    [(FetchSettings, FETCH_VARIABLES), (BuildSettings, set()), (PublishSettings, set())],
)
def test_what_is_for_fetch_alone_is_all_that_fetch_reads(values, settings, own):
    class Noting(dict):
        def get(self, name, default=None):
            read.add(name)
            return super().get(name, default)

    read: set[str] = set()
    settings.read(Environment(Noting(values)))
    assert read & FETCH_VARIABLES == own
    if own:
        assert read - own == {"BUILD_WORKSPACE"}


def test_an_environment_without_some_names_keeps_the_others(values):
    left = Environment(values).without({"CONTEXT_URL", "NOT_THERE"})
    assert left.values == {key: value for key, value in values.items() if key != "CONTEXT_URL"}


def test_the_registry_s_credentials_are_optional(values):
    assert PublishSettings.read(Environment(values)).docker_config is None
