"""Takes the excerpts from the installed botocore, after its release has changed.

`python -m knative_lambda.adapters.storage.s3_data.take`
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader

from . import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = {"GetObject", "HeadObject", "PutObject", "DeleteObject", "ListObjectsV2"}
# What its client asks S3 by itself: where a bucket is, and for leave to use a directory bucket.
_BOTOCORES_OWN = {"HeadBucket", "CreateSession"}
# S3, and where credentials may come from.
_SERVICES = ("s3", "sts", "sso", "sso-oidc", "signin")
_S3 = "s3/2006-03-01/service-2"
_RULES = "s3/2006-03-01/endpoint-rule-set-1"
_ENDPOINTS = "endpoints"


def excerpts() -> dict[str, str]:
    """File name -> content, of every excerpt."""
    loader = Loader(include_default_search_paths=False)
    loader.search_paths.append(Loader.BUILTIN_DATA_PATH)
    prefixes = {_metadata(loader, service)["endpointPrefix"] for service in _SERVICES}
    taken = {
        _S3: _operations(loader.load_data(_S3)),
        # All of them: as plain dictionaries they take a third of the memory.
        _RULES: _undocumented(loader.load_data(_RULES)),
        _ENDPOINTS: _endpoints(loader.load_data(_ENDPOINTS), prefixes),
    }
    return {
        f"{name}.json": json.dumps(data, separators=(",", ":")) + "\n"
        for name, data in taken.items()
    }


def _metadata(loader: Loader, service: str) -> dict[str, str]:
    metadata: dict[str, str] = loader.load_service_model(service, "service-2")["metadata"]
    return metadata


def _operations(model: dict[str, Any]) -> object:
    """The model of S3 with the operations that are used, and the shapes that these lead to."""
    operations = {
        name: operation
        for name, operation in model["operations"].items()
        if name in _OURS | _BOTOCORES_OWN
    }
    reached: set[str] = set()
    ahead = set(_shapes_in(operations))
    while ahead:
        reached |= ahead
        ahead = {name for shape in ahead for name in _shapes_in(model["shapes"][shape])} - reached
    shapes = {name: shape for name, shape in model["shapes"].items() if name in reached}
    return _undocumented({**model, "operations": operations, "shapes": shapes})


def _shapes_in(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _shapes_in(each)


def _undocumented(node: object) -> object:
    """The same with empty documentation, which is asked for in places."""
    if isinstance(node, dict):
        return {
            key: "" if key == "documentation" and isinstance(value, str) else _undocumented(value)
            for key, value in node.items()
        }
    return [_undocumented(each) for each in node] if isinstance(node, list) else node


def _endpoints(data: dict[str, Any], prefixes: set[str]) -> object:
    """Where the services are that have these prefixes, in all partitions."""
    return {
        **data,
        "partitions": [
            {
                **partition,
                "services": {
                    prefix: service
                    for prefix, service in partition["services"].items()
                    if prefix in prefixes
                },
            }
            for partition in data["partitions"]
        ],
    }


def main() -> None:
    """Write the excerpts, and remove those of another release."""
    for old in FOLDER.parent.glob("botocore-*"):
        shutil.rmtree(old)
    for name, content in excerpts().items():
        file = FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        sys.stdout.write(f"{len(content):,} bytes: {name}\n")


if __name__ == "__main__":
    main()
