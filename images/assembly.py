"""Images made of layers on this machine: without docker, daemon, root or base image."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from images.contents import Contents, files_of
from images.dockerfile import read_config
from images.interpreter import Interpreter
from images.operating_system import images_of, key_of
from lambda_builder.runtime import is_own
from lambda_oci.image import encode_image
from lambda_oci.platforms import architecture
from lambda_oci.references import parse_repository
from lambda_oci.repositories import open_repository

if TYPE_CHECKING:
    from collections.abc import Sequence

    from images.catalog import Image
    from images.debian import Package
    from images.layers import LayerCache
    from images.operating_system import OperatingSystem
    from lambda_builder.language import ImagePart
    from lambda_builder.runtime import Runtime
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
        first, *others = image.runtimes
        if not is_own(first.language):
            key = self._part_key(first, images_of(first).base, self.system.packages(first))
            return [self.cache.layer(key, partial(self.system.fill, first))]
        layers = [self.cache.layer_of(self._own_key(first), self._own_root(first))]
        for other in others:
            packages = self.system.tool_packages(other, first)
            key = self._part_key(other, images_of(other).builder, packages)
            layers.append(self.cache.layer(key, partial(self.system.fill_tools, other, first)))
        return layers

    def _upper_layers(self, image: Image) -> list[Layer]:
        """What the image has above its interpreter: packages, if any, and our code."""
        first = image.runtimes[0]
        interpreter = Interpreter.current()
        if is_own(first.language):
            interpreter = Interpreter.inside(self._own_root(first), first.version)
        contents = Contents(self.checkout, interpreter)
        layers = []
        if (lock := contents.lock(image.kind)) is not None:
            own = key_of(self._own_key(first), lock.read_bytes(), *_sources(_OF_CONTENTS))
            fill = partial(contents.dependencies, image.kind)
            layers.append(self.cache.layer(f"{image.kind}-packages-{own}", fill))
        ours = [_tree(folder) for folder in contents.sources(image.kind, image.name)]
        own = key_of(interpreter.version, *ours, *_sources(_OF_CONTENTS))
        fill = partial(contents.code, image.kind, image.name)
        return [*layers, self.cache.layer(f"{image.name}-code-{own}", fill)]

    def _own_root(self, runtime: Runtime) -> Path:
        """The interpreter as it will be in the image, which prepares the layers above."""
        fill = partial(self.system.fill_own, runtime)
        return self.cache.folder_of(self._own_key(runtime), fill)

    def _own_key(self, runtime: Runtime) -> str:
        return self._system_key(runtime.language.name, *self.system.packages(runtime))

    def _part_key(self, runtime: Runtime, part: ImagePart, packages: Sequence[Package]) -> str:
        language = runtime.language
        inputs = [(language.folder / name).read_bytes() for name in part.inputs]
        return self._system_key(language.name, *packages, *part.program, *inputs)

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
    """A key of the names and contents of all files that an image holds of a folder."""
    files = files_of(folder)
    return key_of(
        *(part for file in files for part in (file.relative_to(folder), file.read_bytes()))
    )


def _sources(names: tuple[str, ...]) -> list[bytes]:
    """The programs that make a layer: a changed program makes a new layer."""
    return [Path(__file__).with_name(f"{name}.py").read_bytes() for name in names]
