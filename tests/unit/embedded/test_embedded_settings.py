from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import TYPE_CHECKING

from kn_lambda.deploying.uploading import upload_storage, upload_url
from knative_lambda.adapters.storage import open_storage
from knative_lambda.settings import BuildStartSettings
from lambda_embedded.configuration.settings import (
    embedded_settings,
    file_places,
    package_index_secret,
)
from lambda_embedded.data_folder import DataFolder

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGES = json.dumps(
    [{"name": "python", "suffixes": [".py"], "packages": "p", "defaultHandler": "main.handler"}]
)
IMAGES = {"python3.11": f"file:///base/python3.11@sha256:{'0' * 64}"}


def test_the_functions_understand_what_they_are_told(tmp_path: Path, monkeypatch):
    for name, value in embedded_settings(
        DataFolder(tmp_path), IMAGES, {}, languages=LANGUAGES
    ).items():
        monkeypatch.setenv(name, value)

    settings = BuildStartSettings()

    assert settings.base_images == IMAGES
    assert settings.languages.suffixes == (".py",)
    assert settings.image_prefix == "registry.embedded"
    assert settings.storage_url == f"file://{tmp_path}/storage/knative-lambda/"
    assert settings.source_prefixes == [f"file://{tmp_path}/storage/sources/{{namespace}}/"]
    assert settings.runtimes_dir == "/runtimes"


def test_functions_store_below_a_home_of_any_name(tmp_path: Path, monkeypatch):
    home = tmp_path / "Zo\u00eb's 100% r\u00e9al #1 folder?"
    settings = embedded_settings(DataFolder(home), IMAGES, {}, languages=LANGUAGES)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    read = BuildStartSettings()
    uri = f"{read.storage_url}contexts/a"
    open_storage(file_roots=read.file_roots()).write(uri, BytesIO(b"content"))
    assert (home / "storage/knative-lambda/contexts/a").read_bytes() == b"content"
    assert list(tmp_path.iterdir()) == [home]
    assert home / "storage/sources" in read.file_roots()
    upload_storage(settings).write(f"{upload_url(settings)}/default/b", BytesIO(b"source"))
    assert (home / "storage/sources/default/b").read_bytes() == b"source"
    assert set(file_places(settings)) >= {
        home / "storage/sources",
        home / "storage/knative-lambda",
        home / "registry",
    }


def test_settings_of_the_machine_win_and_nothing_else_of_it_gets_in(tmp_path: Path):
    machine = {
        "KN_LAMBDA_STORAGE_URL": "s3://bucket/",
        "KN_LAMBDA_HOME": "/home",
        "AWS_SECRET_ACCESS_KEY": "hidden",
    }
    settings = embedded_settings(DataFolder(tmp_path), IMAGES, machine, languages=LANGUAGES)
    assert settings["KN_LAMBDA_STORAGE_URL"] == "s3://bucket/"
    assert json.loads(settings["KN_LAMBDA_BASE_IMAGES"]) == IMAGES
    assert "KN_LAMBDA_HOME" not in settings
    assert "hidden" not in settings.values()


def test_what_opens_a_package_index_is_a_secret_and_no_setting(tmp_path: Path):
    secret = {
        "KN_LAMBDA_PACKAGE_INDEX_USERNAME": "ada",
        "KN_LAMBDA_PACKAGE_INDEX_PASSWORD": "pass w\u00f6rd",
        "KN_LAMBDA_PACKAGE_INDEX_CREDENTIALS": '{"python": {"username": "a", "password": "b"}}',
    }
    machine = {**secret, "KN_LAMBDA_PACKAGE_INDEX_URL": "https://pypi.example.com/simple"}

    settings = embedded_settings(DataFolder(tmp_path), IMAGES, machine, languages=LANGUAGES)
    data = package_index_secret(machine)

    assert settings["KN_LAMBDA_PACKAGE_INDEX_URL"] == "https://pypi.example.com/simple"
    assert not secret.keys() & settings.keys()
    assert {name: base64.b64decode(text).decode() for name, text in data.items()} == secret
    assert package_index_secret({"KN_LAMBDA_PACKAGE_INDEX_URL": "https://pypi.example.com/"}) == {}
