import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from knative_lambda.domain.packages import PackageIndex, PackageIndexes
from knative_lambda.settings import (
    BuildCompleteSettings,
    BuildStartSettings,
    CleanupSettings,
    DeleteSettings,
    PublishSettings,
)
from tests.helpers.certificate_authority import make_authority

BASE = f"http://registry/base@sha256:{'0' * 64}"
VALID = {
    "STORAGE_URL": "s3://own/",
    "SOURCE_PREFIXES": '["s3://sources/{namespace}/"]',
    "REGISTRY_URL": "http://registry/lambdas",
    "IMAGE_PREFIX": "registry/lambdas",
    "LANGUAGES": '[{"name":"x","suffixes":[".x"],"packages":"p","defaultHandler":"main.handler"}]',
    "BASE_IMAGES": f'{{"python3.11": "{BASE}"}}',
    "BUILD_JOB_IMAGE": "registry/builder",
}


@pytest.fixture(autouse=True)
def _nothing_of_the_machine(monkeypatch):
    for name in [name for name in os.environ if name.startswith("KN_LAMBDA_")]:  # noqa: TID251
        monkeypatch.delenv(name)


@pytest.fixture
def read(monkeypatch):
    def set_and_read(settings=BuildStartSettings, **changes):
        for name, value in (VALID | changes).items():
            monkeypatch.setenv(f"KN_LAMBDA_{name}", value)
        return settings()

    return set_and_read


def test_what_is_set_is_read_and_the_rest_has_defaults(read):
    settings = read(ALLOW_SOURCE_PACKAGES="true", SOURCE_MAX_FILES="5", BUILD_TIMEOUT="PT1H2M3S")
    assert settings.base_images == {"python3.11": BASE}
    assert settings.source_prefixes == ["s3://sources/{namespace}/"]
    assert (settings.allow_source_packages, settings.source_max_files) == (True, 5)
    assert settings.build_timeout == timedelta(hours=1, minutes=2, seconds=3)
    assert (settings.log_level, settings.indexes()) == ("INFO", PackageIndexes())


@pytest.mark.parametrize(
    "cls",
    [BuildStartSettings, PublishSettings, BuildCompleteSettings, DeleteSettings, CleanupSettings],
)
def test_everything_that_is_missing_is_named(cls):
    with pytest.raises(ValueError, match=r"KN_LAMBDA_STORAGE_URL is not set") as refused:
        cls()
    assert "KN_LAMBDA_REGISTRY_URL is not set" in str(refused.value)


def test_an_empty_variable_is_an_absent_one(read):
    assert read(S3_ENDPOINT_URL="", LOG_LEVEL="").s3_endpoint_url is None
    with pytest.raises(ValueError, match="KN_LAMBDA_BUILD_JOB_IMAGE is not set"):
        read(BUILD_JOB_IMAGE="")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("STORAGE_URL", "s3://own", "end in /"),
        ("STORAGE_URL", "ftp://own/", "s3://... or file://"),
        ("SOURCE_PREFIXES", '["s3://sources/{namespace}"]', "end in /"),
        ("SOURCE_PREFIXES", "s3://sources/", r'JSON such as \["a", "b"\]'),
        ("SOURCE_PREFIXES", "[1]", "JSON such as"),
        ("SOURCE_PREFIXES", "[" * 100_000, "JSON such as"),
        ("REGISTRY_URL", "registry/lambdas", "http, https or file"),
        ("REGISTRY_URL", "http://registry/", "not end in /"),
        ("IMAGE_PREFIX", "/registry", "without /"),
        ("BASE_IMAGES", '{"python3.11": "registry/base:latest"}', "by digest"),
        ("LANGUAGES", '[{"name": "x"}]', r'JSON such as \[\{"name": "python"'),
        ("LANGUAGES", "[1]", "JSON such as"),
        ("LANGUAGES", "{", "JSON such as"),
        ("BASE_IMAGES", "[]", r'JSON such as \{"a": "b"\}'),
        ("BASE_IMAGES", '{"python3.11": 1}', "JSON such as"),
        ("PACKAGE_INDEXES", "https://index/", r'JSON such as \{"a": "b"\}'),
        ("PACKAGE_INDEXES", '{"x": "index"}', "http, https or file URLs"),
        ("SOURCE_MAX_FILES", "0", "1 or more"),
        ("SOURCE_MAX_FILES", "-1", "a number"),
        ("SOURCE_MAX_FILES", "many", "a number"),
        ("ALLOW_SOURCE_PACKAGES", "maybe", "true or false"),
        ("BUILD_TIMEOUT", "soon", "PT10M"),
        ("BUILD_TIMEOUT", "PT", "PT10M"),
        ("BUILD_TIMEOUT", "-5", "PT10M"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_must_be(read, name, value, says):
    with pytest.raises(ValueError, match=f"KN_LAMBDA_{name} must be .*{says}"):
        read(**{name: value})


def test_all_that_is_wrong_is_told_at_once_and_no_value_is_repeated(read):
    with pytest.raises(ValueError, match=r"STORAGE_URL .*; .*REGISTRY_URL") as refused:
        read(STORAGE_URL="hunter2", REGISTRY_URL="hunter2")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("one", ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"])
def test_half_of_the_credentials_are_refused(read, one):
    with pytest.raises(ValueError, match="set both or neither"):
        read(**{one: "hunter2"})


def test_settings_tell_the_storage_adapter_what_it_needs(read):
    settings = read(
        S3_ENDPOINT_URL="http://s3:9000", S3_ACCESS_KEY_ID="a", S3_SECRET_ACCESS_KEY="b"
    )
    assert settings.s3() == {
        "endpoint_url": "http://s3:9000",
        "region": "us-east-1",
        "path_style": True,
        "access_key": "a",
        "secret_key": "b",
        "post_policy": True,
    }
    assert "'b'" not in repr(settings)


def test_a_server_without_post_policies_is_named_by_a_setting(read):
    assert read(S3_POST_POLICY="false").s3()["post_policy"] is False


def test_files_may_be_read_below_our_own_folder_and_those_of_sources(read):
    urls = {"STORAGE_URL": "file:///own/", "SOURCE_PREFIXES": '["file:///src/{namespace}/x/"]'}
    assert read(**urls).file_roots() == [Path("/own"), Path("/src")]
    assert read(DeleteSettings, **urls).file_roots() == [Path("/own")]
    assert read().file_roots() == []


def test_nothing_can_be_changed_afterwards(read):
    with pytest.raises(AttributeError, match="read-only"):
        read().log_level = "DEBUG"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5", 1.5), ("PT90S", 90), ("P1DT1H", 90000)]
)
def test_a_duration_is_seconds_or_iso_8601(read, text, seconds):
    assert read(CleanupSettings, STUCK_AFTER=text).stuck_after == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["PT101S", "101", "PT10M"])
def test_a_delivery_is_not_held_longer_than_its_function_lives(read, text):
    with pytest.raises(ValueError, match="KN_LAMBDA_START_TIMEOUT: must be at most 100 seconds"):
        read(BuildCompleteSettings, START_TIMEOUT=text)


@pytest.mark.parametrize("text", ["0", "PT100S"])
def test_a_delivery_may_be_held_for_a_while_or_never(read, text):
    assert read(BuildCompleteSettings, START_TIMEOUT=text).start_timeout <= timedelta(seconds=100)


def test_following_a_build_and_waiting_for_its_revision_fit_into_one_delivery(read):
    with pytest.raises(ValueError, match="KN_LAMBDA_READY_TIMEOUT: together with"):
        read(BuildCompleteSettings, FOLLOW_TIMEOUT="PT50S", READY_TIMEOUT="PT51S")


def test_credentials_of_a_package_index_come_from_variables_of_their_own(read):
    settings = read(PACKAGE_INDEX_USERNAME="u", PACKAGE_INDEX_PASSWORD="canary")
    assert json.loads(settings.indexes().common.credentials) == {
        "username": "u",
        "password": "canary",
    }
    assert "canary" not in settings.packages_policy()
    assert "canary" not in repr(settings.indexes())
    without = read(PACKAGE_INDEX_USERNAME="", PACKAGE_INDEX_PASSWORD="")
    assert without.indexes() == PackageIndexes()


@pytest.mark.parametrize("name", ["PACKAGE_INDEX_USERNAME", "PACKAGE_INDEX_PASSWORD"])
def test_half_of_the_credentials_of_an_index_is_refused(read, name):
    with pytest.raises(ValueError, match="set both or neither") as refused:
        read(**{name: "canary"})
    assert "canary" not in str(refused.value)


_ADDRESS = "https://user:canary@index.example/simple/"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PACKAGE_INDEX_URL", _ADDRESS),
        ("PACKAGE_INDEXES", json.dumps({"x": _ADDRESS})),
        ("PACKAGE_URL_PREFIXES", json.dumps([_ADDRESS])),
    ],
)
def test_no_password_stands_in_an_address_of_packages(read, name, value):
    with pytest.raises(ValueError, match=f"KN_LAMBDA_{name} .* without user and pass") as refused:
        read(**{name: value})
    assert "canary" not in str(refused.value)


COMMON = {
    "PACKAGE_INDEX_URL": "https://common/",
    "PACKAGE_INDEX_USERNAME": "all",
    "PACKAGE_INDEX_PASSWORD": "canary",
}


def test_a_language_may_have_an_index_and_credentials_of_its_own(read):
    told = {"username": "me", "password": "canary"}
    settings = read(
        **COMMON,
        PACKAGE_INDEXES='{"x": "https://own/"}',
        PACKAGE_INDEX_CREDENTIALS=json.dumps({"x": told}),
    )
    index = settings.indexes().of("x1.2")
    assert (index.url, json.loads(index.credentials)) == ("https://own/", told)
    assert settings.indexes().of("y3") == settings.indexes().common != index
    assert "canary" not in repr(settings.indexes())


def test_an_index_of_its_own_does_not_get_the_credentials_of_the_common_one(read):
    settings = read(**COMMON, PACKAGE_INDEXES='{"x": "https://own/"}')
    assert settings.indexes().of("x1.2") == PackageIndex(url="https://own/", credentials=None)


@pytest.mark.parametrize(
    "value",
    [
        "canary",
        '["canary"]',
        '{"x": "canary"}',
        '{"x": {"username": "canary"}}',
        '{"x": {"username": "u", "password": "canary", "token": "canary"}}',
        '{"x": {"username": "u", "password": ["canary"]}}',
        '{"x": {"username": "canary", "password": ""}}',
        "[" * 100_000,
    ],
)
def test_credentials_of_another_form_are_refused_without_showing_them(read, value):
    says = r'KN_LAMBDA_PACKAGE_INDEX_CREDENTIALS must be JSON such as \{"<language>": '
    with pytest.raises(ValueError, match=says) as refused:
        read(PACKAGE_INDEXES='{"x": "https://own/"}', PACKAGE_INDEX_CREDENTIALS=value)
    assert "canary" not in str(refused.value)


def test_an_index_of_a_language_that_is_not_installed_is_refused(read):
    says = "KN_LAMBDA_PACKAGE_INDEXES: may name no language but x"
    with pytest.raises(ValueError, match=says):
        read(PACKAGE_INDEXES='{"x1.2": "https://own/"}')


def test_credentials_without_an_index_of_their_own_are_refused(read):
    credentials = '{"x": {"username": "u", "password": "canary"}}'
    says = "KN_LAMBDA_PACKAGE_INDEX_CREDENTIALS: .* no index in KN_LAMBDA_PACKAGE_INDEXES"
    with pytest.raises(ValueError, match=says) as refused:
        read(**COMMON, PACKAGE_INDEX_CREDENTIALS=credentials)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOW_SOURCE_PACKAGES", "true"),
        ("ALLOW_GIT_PACKAGES", "true"),
        ("REQUIRE_HASHES", "true"),
        ("PACKAGE_URL_PREFIXES", '["https://files.example/"]'),
    ],
)
def test_packages_of_another_policy_are_others(read, name, value):
    lax = read(**{name: value}).packages_policy()
    usual = read(**{name: ""}).packages_policy()
    assert lax != usual


def test_hosts_of_sources_are_listed_and_there_is_none_by_default(read):
    assert read().source_hosts is None
    hosts = ["git.example.com", "git.internal:8443=10.0.0.0/8,fd00::/8"]
    assert read(SOURCE_HOSTS=json.dumps(hosts)).source_hosts == hosts


@pytest.mark.parametrize("hosts", ['["https://git.example.com"]', '["a=10.0.0.1/8"]', '["*"]'])
def test_what_is_no_host_of_sources_is_refused(read, hosts):
    with pytest.raises(ValueError, match=r"KN_LAMBDA_SOURCE_HOSTS: .* is no host such as"):
        read(SOURCE_HOSTS=hosts)


@pytest.mark.parametrize(
    "text", ["no PEM", "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused_and_not_repeated(read, text):
    with pytest.raises(
        ValueError, match="KN_LAMBDA_SOURCE_CERTIFICATES must be certificates in PEM"
    ) as refused:
        read(SOURCE_CERTIFICATES=text)
    assert "hunter2" not in str(refused.value)


def test_a_certificate_of_an_authority_is_read(read, tmp_path):
    text = make_authority(tmp_path / "ca").certificate.read_text()
    assert read(SOURCE_CERTIFICATES=text).source_certificates == text
