"""Last step of a build: `python -m lambda_builder.publish` makes the image and stores it.

It runs no foreign code and is the only step that has the registry's credentials.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lambda_builder.default_handler import default_handler
from lambda_builder.errors import PlatformError
from lambda_builder.program import run_program
from lambda_builder.runtime import RUNTIME_LABEL, find_runtime
from lambda_builder.settings import Environment, PublishSettings
from lambda_builder.workspace import Workspace
from lambda_oci.folders import remove
from lambda_oci.image import BaseImage, append_layers
from lambda_oci.layer import Layer, write_layer
from lambda_oci.references import check_tag, parse_image, parse_repository
from lambda_oci.repositories import open_repository

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_builder.runtime import Runtime
    from lambda_oci.descriptors import Descriptor
    from lambda_oci.image import ImageDocuments
    from lambda_oci.repository import Repository


def publish(settings: PublishSettings) -> dict[str, object]:
    """Publish what the workspace holds; the termination message of a success."""
    workspace = Workspace(settings.workspace)
    runtime = find_runtime(settings.runtime, settings.runtimes_dir)
    tag = check_tag(settings.tag)
    location, base_digest = parse_image(settings.base_image_url)
    origin = open_repository(location, settings.docker_config)
    target = open_repository(parse_repository(settings.repository_url), settings.docker_config)
    remove(workspace.scratch)
    workspace.scratch.mkdir()
    try:
        layers = _layers(runtime, workspace)
        base = BaseImage.read(origin, base_digest)
        handler = default_handler(workspace.source, runtime.language)
        environment = {} if handler is None else {"FUNCTION_HANDLER": handler}
        labels = {RUNTIME_LABEL: settings.runtime}
        image = append_layers(base, layers, labels, environment, created_by="lambda_builder")
        with target.writing():
            for blob in base.layers:
                _take_over(blob, origin, target, workspace.scratch / "blob")
            reused = [_add(layer.descriptor, layer.file, target) for layer in layers]
            digest = _add_documents(image, target, tag, workspace.scratch / "config")
    finally:
        remove(workspace.scratch)
    descriptors = [*base.layers, image.config_descriptor, *(layer.descriptor for layer in layers)]
    return {
        "digest": digest,
        "size": sum(blob.size for blob in descriptors) + len(image.manifest),
        "layers": [
            {"digest": layer.descriptor.digest, "size": layer.descriptor.size, "reused": known}
            for layer, known in zip(layers, reused, strict=True)
        ],
    }


def _layers(runtime: Runtime, workspace: Workspace) -> list[Layer]:
    """The dependency layer, where there is anything in it, and the code layer."""
    packages = workspace.root / runtime.language.packages
    for folder in (packages, workspace.source):
        if folder.is_symlink() or not folder.is_dir():
            message = f"the workspace has no folder {folder.name!r}; run fetch and build first"
            raise PlatformError("BuildMissing", message)
    layers = []
    if any(packages.iterdir()):
        contents = [(f"function/{runtime.language.packages}", packages)]
        if workspace.lock.is_file() and not workspace.lock.is_symlink():
            contents.append(("function/lock.txt", workspace.lock))
        layers.append(write_layer(contents, workspace.scratch / "dependencies"))
    layers.append(write_layer([("function/source", workspace.source)], workspace.scratch / "code"))
    return layers


def _take_over(blob: Descriptor, origin: Repository, target: Repository, scratch: Path) -> None:
    if target.contains(blob) or target.adopt(blob, origin):
        return
    origin.copy_blob(blob, scratch)
    target.add_blob(blob, scratch)
    remove(scratch)


def _add(blob: Descriptor, content: Path, target: Repository) -> bool:
    """Store a blob; whether it was there before."""
    if target.contains(blob):
        return True
    target.add_blob(blob, content)
    return False


def _add_documents(image: ImageDocuments, target: Repository, tag: str, scratch: Path) -> str:
    scratch.write_bytes(image.config)
    _add(image.config_descriptor, scratch, target)
    return target.add_manifest(image.manifest, tag).digest


def main(environment: Environment) -> dict[str, object]:
    """Publish as the environment says."""
    return publish(PublishSettings.read(environment))


if __name__ == "__main__":
    sys.exit(run_program(main))
