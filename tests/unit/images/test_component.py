"""The kustomize component that ties an installation to its images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from images.component import PLACEHOLDER, component_of, function_names
from images.references import registry_url
from lambda_builder.runtime import languages_setting, read_languages

CHECKOUT = Path(__file__).parents[3]
DIGEST = f"sha256:{'0' * 64}"
LANGUAGES = read_languages(CHECKOUT / "runtimes")
REFERENCES = {
    name: f"10.0.0.1:5000/p/{name}@{DIGEST}" for name in ("delete", "builder", "python3.11")
}


def test_functions_are_named_by_digest():
    component = component_of(REFERENCES, {"delete", "cleanup"}, [])
    assert component["images"] == [
        {"name": f"{PLACEHOLDER}/delete", "newName": "10.0.0.1:5000/p/delete", "digest": DIGEST}
    ]


def test_the_settings_name_builder_and_base_images():
    (patch,) = component_of(REFERENCES, {"delete"}, LANGUAGES)["patches"]
    data = json.loads(patch["patch"])["data"]
    assert data["KN_LAMBDA_BUILD_JOB_IMAGE"] == REFERENCES["builder"]
    base_images = {"python3.11": f"http://{REFERENCES['python3.11']}"}
    assert json.loads(data["KN_LAMBDA_BASE_IMAGES"]) == base_images
    assert data["KN_LAMBDA_LANGUAGES"] == languages_setting(LANGUAGES)


def test_settings_without_new_images_stay():
    (patch,) = component_of({"delete": REFERENCES["delete"]}, {"delete"}, LANGUAGES)["patches"]
    assert json.loads(patch["patch"])["data"] == {}


@pytest.mark.parametrize("name", sorted(function_names(CHECKOUT)))
def test_config_names_the_image_that_the_component_replaces(name):
    text = (CHECKOUT / f"config/base/functions/{name}.yaml").read_text()
    assert f"image: {PLACEHOLDER}/{name}\n" in text


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1:5000/p", "http://127.0.0.1:5000/p"),
        ("10.10.0.2:5000/p", "http://10.10.0.2:5000/p"),
        ("localhost:5000/p", "http://localhost:5000/p"),
        ("registry.example.com/p/", "https://registry.example.com/p"),
        ("http://registry.example.com/p", "http://registry.example.com/p"),
    ],
)
def test_only_private_registries_are_spoken_to_in_the_clear(text, url):
    assert registry_url(text) == url
