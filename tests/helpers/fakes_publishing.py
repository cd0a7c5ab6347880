"""`ImagePublisher` beside the registry of the unit tests."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidContentError, PackagesMissingError
from lambda_oci.archive import Limits, read_files
from lambda_oci.errors import ContentError
from lambda_oci.foreign_layer import write_foreign_layer
from tests.helpers.archives import tar_bytes, tar_member
from tests.helpers.fakes_platform import InMemoryImageRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from knative_lambda.domain.image import ImageOrder
    from knative_lambda.domain.language import Language

_LIMITS = Limits(max_bytes=50_000_000, max_entries=10_000)

HOSTILE = tar_bytes(tar_member("../main.py"))
"""What no Job of ours would leave."""


@dataclass(kw_only=True)
class InMemoryImagePublisher:
    """Archives are checked as the real one does.

    Digests tell what is in an image, unless a test names one for all.
    """

    registry: InMemoryImageRegistry = field(default_factory=InMemoryImageRegistry)
    digest: str | None = None
    made: list[ImageOrder] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    after_push: Callable[[str], object] = lambda _: None
    """What happens once a tag is in the registry, before the caller hears of it."""

    def keep_packages(
        self, repository_url: str, tag: str, *, language: Language, runtime: str, archive: BinaryIO
    ) -> None:
        with _failures(), tempfile.TemporaryDirectory() as folder:
            archive.seek(0)
            layer = write_foreign_layer(
                archive,
                Path(folder) / "layer",
                below="function",
                folder=language.packages,
                beside="lock.txt",
                limits=_LIMITS,
            )
        self.kept.append(tag)
        self.registry.push(repository_url, tag, _digest(runtime, layer and layer.diff_id))
        self.after_push(tag)

    def publish(self, order: ImageOrder, source: BinaryIO) -> str:
        packages = None
        if order.packages_tag is not None:
            packages = self.registry.find(order.repository_url, order.packages_tag)
            if packages is None:
                raise PackagesMissingError(f"nothing is tagged {order.packages_tag}")
        with _failures():
            files = read_files(source, lambda _: True, _LIMITS)
        digest = self.digest or _digest(
            order.base_image_url, order.runtime, packages, sorted(files.items())
        )
        self.made.append(order)
        self.registry.push(order.repository_url, order.tag, digest)
        self.after_push(order.tag)
        return digest


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except ContentError as error:
        raise InvalidContentError(error.message, reason=error.reason) from error


def _digest(*parts: object) -> str:
    return f"sha256:{hashlib.sha256(repr(parts).encode()).hexdigest()}"
