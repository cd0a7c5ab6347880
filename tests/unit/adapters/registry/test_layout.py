import json

import pytest

from knative_lambda.adapters.registry.layout import LayoutImageRegistry
from knative_lambda.domain.errors import RegistryUnavailableError

DIGEST = "sha256:" + "d" * 64


@pytest.mark.parametrize(
    "index",
    ["", "not JSON", "[]", "{}", '{"manifests": 5}', '{"manifests": [5]}', '{"manifests": [{}]}'],
)
def test_a_folder_that_is_no_layout_is_a_registry_in_trouble(tmp_path, index):
    (tmp_path / "index.json").write_text(index)
    registry = LayoutImageRegistry()
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
    assert LayoutImageRegistry().list_tags(f"file://{tmp_path}") == []
