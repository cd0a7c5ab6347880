"""Images made of layers on this machine: without docker, daemon, root or base image."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from images.catalog import NODE, PYTHON
from images.contents import Contents
from images.dockerfile import read_config
from images.interpreter import Interpreter
from images.operating_system import NODE_LOCK, key_of
from lambda_oci.image import encode_image
from lambda_oci.platforms import architecture
from lambda_oci.references import parse_repository
from lambda_oci.repositories import open_repository

if TYPE_CHECKING:
    from images.catalog import Image
    from images.layers import LayerCache
    from images.operating_system import OperatingSystem
    from lambda_oci.image import ImageDocuments
    from lambda_oci.layer import Layer
    from lambda_oci.repository import Repository


TAG = "latest"
_OF_SYSTEM = ("debian", "operating_system", "interpreter", "layers")
_OF_CONTENTS = ("contents", "interpreter", "layers")


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """Assembles and pushes images; layers that did not change come from the cache."""

    checkout: Path
    system: OperatingSystem
    cache: LayerCache
    registry_url: str
    docker_config: Path | None = None
    _stored: dict[str, Repository] = field(default_factory=dict)

    def __call__(self, image: Image) -> tuple[str, int]:
        """Digest and size of the image, which is now in the registry, tagged `latest`."""
        layers = [*self._lower_layers(image), *self._upper_layers(image)]
        config = read_config(self.checkout / image.dockerfile, image.arguments)
        document: dict[str, object] = {
            "architecture": architecture(),
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
        documents = encode_image(document, tuple(layer.descriptor for layer in layers), {})
        size = sum(layer.descriptor.size for layer in layers)
        return self._push(image, documents, layers), size

    def _lower_layers(self, image: Image) -> list[Layer]:
        """Debian and the interpreters."""
        if PYTHON not in image.languages:
            key = self._system_key(NODE, *self.system.node_packages(), NODE_LOCK.read_bytes())
            return [self.cache.layer(key, self.system.fill_node)]
        layers = [self.cache.layer_of(self._python_key(image), self._python_root(image))]
        if NODE in image.languages:
            version = image.python
            packages = self.system.tool_packages(version)
            key = self._system_key("tools", *packages, NODE_LOCK.read_bytes())
            fill = partial(self.system.fill_tools, version)
            layers.append(self.cache.layer(key, fill))
        return layers

    def _upper_layers(self, image: Image) -> list[Layer]:
        """What the image has above its interpreter: packages, if any, and our code."""
        python = Interpreter.current()
        if PYTHON in image.languages:
            python = Interpreter.inside(self._python_root(image), image.python)
        contents = Contents(self.checkout, python)
        layers = []
        if (lock := contents.lock(image.kind)) is not None:
            own = key_of(self._python_key(image), lock.read_bytes(), *_sources(_OF_CONTENTS))
            fill = partial(contents.dependencies, image.kind)
            layers.append(self.cache.layer(f"{image.kind}-packages-{own}", fill))
        ours = [_tree(folder) for folder in contents.sources(image.kind, image.name)]
        own = key_of(python.version, *ours, *_sources(_OF_CONTENTS))
        fill = partial(contents.code, image.kind, image.name)
        return [*layers, self.cache.layer(f"{image.name}-code-{own}", fill)]

    def _python_root(self, image: Image) -> Path:
        """The interpreter as it will be in the image, which prepares the layers above."""
        fill = partial(self.system.fill_python, image.python)
        return self.cache.folder_of(self._python_key(image), fill)

    def _python_key(self, image: Image) -> str:
        return self._system_key(PYTHON, *self.system.python_packages(image.python))

    def _system_key(self, kind: str, *parts: object) -> str:
        return f"{kind}-{key_of(architecture(), *parts, *_sources(_OF_SYSTEM))}"

    def _push(self, image: Image, documents: ImageDocuments, layers: list[Layer]) -> str:
        url = f"{self.registry_url}/{image.name}"
        target = open_repository(parse_repository(url), self.docker_config)
        with tempfile.NamedTemporaryFile() as config, target.writing():
            config.write(documents.config)
            config.flush()
            blobs = {layer.descriptor: layer.file for layer in layers}
            for blob, file in (blobs | {documents.config_descriptor: Path(config.name)}).items():
                origin = self._stored.setdefault(blob.digest, target)
                if not (target.contains(blob) or (origin != target and target.adopt(blob, origin))):
                    target.add_blob(blob, file)
            return target.add_manifest(documents.manifest, TAG).digest


def _tree(folder: Path) -> str:
    """A key of the names and contents of all files below, without bytecode."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return key_of(
        *(
            part
            for file in files
            if file.suffix != ".pyc"
            for part in (file.relative_to(folder), file.read_bytes())
        )
    )


def _sources(names: tuple[str, ...]) -> list[bytes]:
    """The programs that make a layer: a changed program makes a new layer."""
    return [Path(__file__).with_name(f"{name}.py").read_bytes() for name in names]
