import json
from datetime import timedelta

import pytest

from knative_lambda.adapters.image_repositories import ImageRepositories
from knative_lambda.adapters.registry import SchemeImageRegistry
from knative_lambda.domain.errors import (
    RegistryUnavailableError,
    RejectedByPlatformError,
    ThrottledError,
)
from lambda_oci import errors

DIGEST = "sha256:" + "d" * 64


@pytest.mark.parametrize(
    "index",
    ["", "not JSON", "[]", "{}", '{"manifests": 5}', '{"manifests": [5]}', '{"manifests": [{}]}'],
)
def test_a_folder_that_is_no_layout_is_a_registry_in_trouble(tmp_path, index):
    (tmp_path / "index.json").write_text(index)
    registry = SchemeImageRegistry()
    for call in (
        lambda: registry.find(f"file://{tmp_path}", "v1"),
        lambda: registry.list_tags(f"file://{tmp_path}"),
        lambda: registry.delete(f"file://{tmp_path}", DIGEST),
    ):
        with pytest.raises(RegistryUnavailableError):
            call()


def test_an_image_whose_tag_moved_on_is_no_tag(tmp_path):
    entry = {"digest": DIGEST, "size": 1, "mediaType": "m"}
    (tmp_path / "index.json").write_text(json.dumps({"manifests": [entry]}))
    assert SchemeImageRegistry().list_tags(f"file://{tmp_path}") == []


class Failing:
    def __init__(self, error):
        self._error = error

    def find(self, tag):
        raise self._error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.OciError, RegistryUnavailableError),
        (errors.ContentError, RegistryUnavailableError),
        (errors.StoredImageError, RegistryUnavailableError),
        (errors.SetupError, RegistryUnavailableError),
        (errors.UnavailableError, RegistryUnavailableError),
        (errors.RejectedError, RejectedByPlatformError),
    ],
)
def test_every_error_of_the_client_is_one_of_ours(error, expected, monkeypatch):
    failing = Failing(error("Reason", "what happened"))
    monkeypatch.setattr(ImageRepositories, "at", lambda *_: failing)
    with pytest.raises(expected, match="what happened"):
        SchemeImageRegistry().find("https://registry.test/fn", "v1")


def test_how_long_to_wait_is_passed_on(monkeypatch):
    throttled = errors.ThrottledError("Reason", "slowly", retry_after_seconds=7)
    monkeypatch.setattr(ImageRepositories, "at", lambda *_: Failing(throttled))
    with pytest.raises(ThrottledError) as raised:
        SchemeImageRegistry().find("https://registry.test/fn", "v1")
    assert raised.value.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("url", ["https://registry.test/UPPER", "https://h:x/fn", "https://[/fn"])
def test_a_url_that_is_no_repository_is_rejected(url):
    with pytest.raises(RejectedByPlatformError):
        SchemeImageRegistry().list_tags(url)
