"""Makes the images of lambdas out of what strangers left, and pushes them.

Nothing of it is executed, compiled or imported; every archive is read under limits.
"""

from __future__ import annotations

import errno
import logging
import tempfile
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from knative_lambda.adapters.image_repositories import ImageRepositories, translated_errors
from knative_lambda.adapters.source_folder import SourceFolder
from knative_lambda.domain.default_handler import default_handler
from knative_lambda.domain.errors import (
    InvalidContentError,
    PackagesMissingError,
    PlatformUnavailableError,
)
from lambda_oci.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from knative_lambda.domain.image import ImageOrder
    from knative_lambda.domain.language import Language
    from lambda_oci.image import BaseImage
    from lambda_oci.layer import StoredLayer
    from lambda_oci.pushing import Pushed
    from lambda_oci.repository import Repository

_log = logging.getLogger(__name__)
_RUNTIME_LABEL = "dev.knative-lambda.runtime"
_LOCK = "lock.txt"
# A layer of hundreds of megabytes, which a registry first copies to its own store.
_UPLOAD_SECONDS = 60.0
# A base image never changes under its digest, and an installation has a few.
_REMEMBERED_BASES = 16
_PATH_BYTES = 3000
_PACKAGES_FILES = 200_000
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, kw_only=True)
class OciImagePublisher:
    """Images in a registry (`http://`, `https://`) or in OCI layout folders (`file://`)."""

    source_max_bytes: int
    source_max_files: int
    packages_max_bytes: int
    """Unpacked, as is the source."""
    docker_config: str | None = None
    """Folder of a config.json with credentials, which may change meanwhile."""
    _repositories: ImageRepositories = field(init=False)
    _bases: OrderedDict[str, BaseImage] = field(default_factory=OrderedDict, init=False)

    def __post_init__(self) -> None:
        """Remember what is opened."""
        repositories = ImageRepositories(
            docker_config=self.docker_config, upload_seconds=_UPLOAD_SECONDS
        )
        object.__setattr__(self, "_repositories", repositories)

    def keep_packages(
        self, repository_url: str, tag: str, *, language: Language, runtime: str, archive: BinaryIO
    ) -> None:
        """Keep what a build Job installed under this tag."""
        from lambda_oci.archive import Limits  # noqa: PLC0415
        from lambda_oci.foreign_layer import write_foreign_layer  # noqa: PLC0415
        from lambda_oci.kept_layer import keep_layer  # noqa: PLC0415

        limits = Limits(
            max_bytes=self.packages_max_bytes,
            max_entries=_PACKAGES_FILES,
            max_path_bytes=_PATH_BYTES,
        )
        with _failures(), tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            archive.seek(0)
            layer = write_foreign_layer(
                archive,
                scratch / "layer",
                below="function",
                folder=language.packages,
                beside=_LOCK,
                limits=limits,
            )
            target = self._repositories.at(repository_url)
            labels = {_RUNTIME_LABEL: runtime}
            pushed = keep_layer(layer, labels, target=target, tag=tag, scratch=scratch)
        _report("packages kept", repository_url, tag, pushed)

    def publish(self, order: ImageOrder, source: BinaryIO) -> str:
        """Make the image of this source; its digest."""
        from lambda_oci.image import append_layers  # noqa: PLC0415
        from lambda_oci.pushing import push_image  # noqa: PLC0415

        with _failures(), tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            code, environment = self._code(order.language, source, scratch)
            target = self._repositories.at(order.repository_url)
            layers = [*self._packages(order, target), code]
            base, origin = self._base(order.base_image_url)
            image = append_layers(
                base,
                layers,
                {_RUNTIME_LABEL: order.runtime},
                environment,
                created_by="knative_lambda",
            )
            pushed = push_image(
                image,
                layers,
                target=target,
                tag=order.tag,
                scratch=scratch,
                base=base,
                origin=origin,
            )
        _report("image published", order.repository_url, order.tag, pushed)
        return pushed.digest

    def _code(
        self, language: Language, source: BinaryIO, scratch: Path
    ) -> tuple[StoredLayer, dict[str, str]]:
        """The layer of the author's files, and the variables that they ask for."""
        from lambda_oci.archive import Limits, unpack_stream  # noqa: PLC0415
        from lambda_oci.layer import write_layer  # noqa: PLC0415

        limits = Limits(max_bytes=self.source_max_bytes, max_entries=self.source_max_files)
        files = scratch / "source"
        unpack_stream(source, files, limits)
        handler = default_handler(SourceFolder(files), language)
        layer = write_layer([("function/source", files)], scratch / "code")
        return layer, {} if handler is None else {"FUNCTION_HANDLER": handler}

    def _packages(self, order: ImageOrder, target: Repository) -> Sequence[StoredLayer]:
        if order.packages_tag is None:
            return ()
        from lambda_oci.kept_layer import read_kept_layer  # noqa: PLC0415

        if (layers := read_kept_layer(target, order.packages_tag)) is None:
            raise PackagesMissingError(f"there are no packages under the tag {order.packages_tag}")
        return layers

    def _base(self, url: str) -> tuple[BaseImage, Repository]:
        from lambda_oci.image import BaseImage  # noqa: PLC0415
        from lambda_oci.references import parse_image  # noqa: PLC0415

        _, digest = parse_image(url)
        origin = self._repositories.at(url.rpartition("@")[0])
        if (base := self._bases.get(url)) is None:
            base = self._bases[url] = BaseImage.read(origin, digest)
            if len(self._bases) > _REMEMBERED_BASES:
                self._bases.popitem(last=False)
        return base, origin


@contextmanager
def _failures() -> Iterator[None]:
    with translated_errors():
        try:
            yield
        except ContentError as error:
            raise InvalidContentError(error.message, reason=error.reason) from error
        except OSError as error:
            if error.errno in _DISK_FULL:
                raise PlatformUnavailableError("the disk for making images is full") from error
            raise


def _report(what: str, repository_url: str, tag: str, pushed: Pushed) -> None:
    _log.info(
        what,
        extra={
            "repository": repository_url,
            "tag": tag,
            "digest": pushed.digest,
            "sent_bytes": pushed.sent_bytes,
        },
    )
