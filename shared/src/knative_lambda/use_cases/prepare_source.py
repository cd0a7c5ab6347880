"""build-start: the source of a request, read and checked before anything is made of it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from knative_lambda.domain.errors import (
    InvalidContentError,
    PermanentError,
    UnsupportedRuntimeError,
)
from knative_lambda.use_cases.packages_request import read_request
from knative_lambda.use_cases.source_image import check_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from knative_lambda.domain.lambda_function import LambdaFunctionSpec
    from knative_lambda.domain.language import Languages
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import SourceArchives
    from knative_lambda.use_cases.build_context import ContextPacker, PackedSource
    from knative_lambda.use_cases.packages_request import PackagesRequest

_SPOOL_BYTES = 4 * 1024 * 1024


class PreparedSource(NamedTuple):
    """An archive of the source, its hash, and what it asks for, or why nobody can tell.

    `commit` is the one that it is of, where it comes from a repository.
    """

    source: BinaryIO
    sha256: str
    commit: str | None
    request: PackagesRequest | InvalidContentError | None
    base_image: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareSource:
    """`PermanentError` names the field of what can never be built."""

    packer: ContextPacker
    archives: SourceArchives
    languages: Languages
    base_images: Mapping[str, str]
    registry_url: str
    image_prefix: str

    @contextmanager
    def __call__(
        self, function: FunctionId, spec: LambdaFunctionSpec
    ) -> Iterator[PreparedSource | None]:
        """Read the source, for as long as the context lasts; None for a finished image."""
        base_image = self._base_image(spec)
        if spec.source.image is not None:
            check_image(
                function,
                spec.source.image,
                image_prefix=self.image_prefix,
                registry_url=self.registry_url,
            )
            yield None
            return
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            source = cast("BinaryIO", spool)
            packed = self._pack(function, spec, source)
            request = self._read_request(spec, source, packed.sha256)
            yield PreparedSource(source, packed.sha256, packed.commit, request, base_image)

    def _base_image(self, spec: LambdaFunctionSpec) -> str:
        try:
            return self.base_images[spec.runtime]
        except KeyError:
            known = ", ".join(sorted(self.base_images))
            raise UnsupportedRuntimeError(
                f"{spec.runtime} is not installed here; choose one of {known}", field="runtime"
            ) from None

    def _pack(
        self, function: FunctionId, spec: LambdaFunctionSpec, context: BinaryIO
    ) -> PackedSource:
        try:
            return self.packer.pack(function, spec.source, context)
        except PermanentError as error:
            error.field = error.field or "source.uri"  # storage does not know the field of its URI
            raise

    def _read_request(
        self, spec: LambdaFunctionSpec, source: BinaryIO, sha256: str
    ) -> PackagesRequest | InvalidContentError | None:
        try:
            return read_request(self.archives, self.languages.of(spec.runtime), source, sha256)
        except InvalidContentError as error:
            return error
