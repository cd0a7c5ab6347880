from __future__ import annotations

import json
from typing import TYPE_CHECKING

from knative_lambda.settings import BuildStartSettings
from lambda_embedded.configuration.settings import embedded_settings
from lambda_embedded.data_folder import DataFolder

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = {"python3.11": f"file:///base/python3.11@sha256:{'0' * 64}"}


def test_the_functions_understand_what_they_are_told(tmp_path: Path, monkeypatch):
    for name, value in embedded_settings(
        DataFolder(tmp_path), IMAGES, {}, source_suffixes=[".py"]
    ).items():
        monkeypatch.setenv(name, value)

    settings = BuildStartSettings()

    assert settings.base_images == IMAGES
    assert settings.source_suffixes == [".py"]
    assert settings.image_prefix == "registry.embedded"
    assert settings.storage_url == f"file://{tmp_path}/storage/knative-lambda/"
    assert settings.source_prefixes == [f"file://{tmp_path}/storage/sources/{{namespace}}/"]
    assert settings.runtimes_dir == "/runtimes"


def test_settings_of_the_machine_win_and_nothing_else_of_it_gets_in(tmp_path: Path):
    machine = {
        "KN_LAMBDA_STORAGE_URL": "s3://bucket/",
        "KN_LAMBDA_HOME": "/home",
        "AWS_SECRET_ACCESS_KEY": "hidden",
    }
    settings = embedded_settings(DataFolder(tmp_path), IMAGES, machine, source_suffixes=[".py"])
    assert settings["KN_LAMBDA_STORAGE_URL"] == "s3://bucket/"
    assert json.loads(settings["KN_LAMBDA_BASE_IMAGES"]) == IMAGES
    assert "KN_LAMBDA_HOME" not in settings
    assert "hidden" not in settings.values()
