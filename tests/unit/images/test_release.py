"""An overlay that is pinned to images."""

from __future__ import annotations

import json

import pytest
import yaml

from images.component import PLACEHOLDER
from images.release import release_of

DIGEST = f"sha256:{'0' * 64}"
FUNCTIONS = {"api", "build-start", "build-complete", "cleanup", "dead-letter", "delete", "publish"}
IMAGES = {
    name: f"registry.example.com/p/{name}@{DIGEST}"
    for name in FUNCTIONS | {"builder", "python3.11"}
}


def settings_of(text):
    (patch,) = yaml.safe_load(text)["patches"]
    return yaml.safe_load(patch["patch"])


def test_every_function_runs_by_digest():
    component = yaml.safe_load(release_of(IMAGES))
    assert component["images"] == [
        {
            "name": f"{PLACEHOLDER}/{name}",
            "newName": f"registry.example.com/p/{name}",
            "digest": DIGEST,
        }
        for name in sorted(FUNCTIONS)
    ]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_scheme_of_base_images_is_what_was_asked_for(scheme):
    data = settings_of(release_of(IMAGES, scheme=scheme))["data"]
    assert json.loads(data["KN_LAMBDA_BASE_IMAGES"]) == {
        "python3.11": f"{scheme}://{IMAGES['python3.11']}"
    }
    assert data["KN_LAMBDA_BUILD_JOB_IMAGE"] == IMAGES["builder"]


def test_functions_are_told_the_languages_of_this_release():
    data = settings_of(release_of(IMAGES))["data"]
    names = {language["name"] for language in json.loads(data["KN_LAMBDA_LANGUAGES"])}
    assert {"python", "nodejs"} <= names


@pytest.mark.parametrize("name", [*sorted(FUNCTIONS), "builder"])
def test_a_release_without_one_of_its_images_is_rejected_by_its_name(name):
    images = {other: image for other, image in IMAGES.items() if other != name}
    with pytest.raises(SystemExit, match=f"no image of {name};"):
        release_of(images)


def test_settings_are_shown_line_by_line():
    assert "- patch: |\n    apiVersion: v1\n" in release_of(IMAGES)
