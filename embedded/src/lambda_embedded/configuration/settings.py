"""The settings of the control functions on the embedded platform."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_embedded.data_folder import DataFolder

SETTINGS_CONFIG_MAP = ("knative-lambda", "knative-lambda-settings")
PACKAGE_INDEX_SECRET = ("knative-lambda", "knative-lambda-package-index")
IMAGE_PREFIX = "registry.embedded"
_PREFIX = "KN_LAMBDA_"
_FILE = "file://"
# Of the platform itself, not of its functions.
_OWN = frozenset({"KN_LAMBDA_HOME", "KN_LAMBDA_EMBEDDED"})
# Of build-start alone, as on a cluster.
_OPENS_PACKAGE_INDEX = frozenset(
    {
        "KN_LAMBDA_PACKAGE_INDEX_USERNAME",
        "KN_LAMBDA_PACKAGE_INDEX_PASSWORD",
        "KN_LAMBDA_PACKAGE_INDEX_CREDENTIALS",
    }
)


def embedded_settings(
    folder: DataFolder,
    base_images: Mapping[str, str],
    machine: Mapping[str, str],
    *,
    languages: str,
) -> dict[str, str]:
    """Return the data of the settings ConfigMap.

    A variable `KN_LAMBDA_...` of this machine wins, so that a person can name an S3 server or a
    package index. `KN_LAMBDA_RUNTIMES_DIR` stays `/runtimes`, which the Job controller maps.
    """
    # Storage knows no percent-encoding, as no S3 tool does; URLs of images have it.
    storage = f"file://{folder.storage}"
    uploads = f"{storage}/sources/"
    settings = {
        "BUILDS_NAMESPACE": "knative-lambda-builds",
        "STORAGE_URL": f"{storage}/knative-lambda/",
        "UPLOAD_URL": uploads,
        "SOURCE_PREFIXES": json.dumps([uploads + "{namespace}/"]),
        "REGISTRY_URL": folder.registry.as_uri(),
        "IMAGE_PREFIX": IMAGE_PREFIX,
        "BASE_IMAGES": json.dumps(dict(base_images)),
        "LANGUAGES": languages,
        # Not pulled: the programs of a build are those of this installation.
        "BUILD_JOB_IMAGE": f"{IMAGE_PREFIX}/knative-lambda/builder",
    }
    own = {
        name: value
        for name, value in machine.items()
        if name.startswith(_PREFIX) and name not in _OWN | _OPENS_PACKAGE_INDEX
    }
    return {_PREFIX + name: value for name, value in settings.items()} | own


def package_index_secret(machine: Mapping[str, str]) -> dict[str, str]:
    """Return the data of the Secret of build-start; nothing if no index has a password."""
    return {
        name: base64.b64encode(machine[name].encode()).decode()
        for name in sorted(_OPENS_PACKAGE_INDEX & machine.keys())
    }


def file_places(machine: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders that this machine's variables name for storage and registry."""
    for name in ("STORAGE_URL", "UPLOAD_URL"):
        url = machine.get(_PREFIX + name, "")
        if url.startswith(_FILE):
            yield Path(url.removeprefix(_FILE))
    registry = urlsplit(machine.get(f"{_PREFIX}REGISTRY_URL", ""))
    if registry.scheme == "file":
        yield Path(unquote(registry.path))
