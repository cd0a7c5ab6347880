"""publish: from a source, and packages where it asks for some, to an image in the registry."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from knative_lambda.domain import build, events
from knative_lambda.domain.errors import (
    BaseImageUnknownError,
    InvalidContentError,
    LimitExceededError,
    PackagesMissingError,
    PermanentError,
    SourceNotFoundError,
)
from knative_lambda.domain.events import BuildComplete, Failure
from knative_lambda.domain.image import ImageOrder
from knative_lambda.use_cases.kept_packages import PackagesNotes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knative_lambda.domain.events import BuildPackaged, Reply
    from knative_lambda.domain.lambda_function import BuildStatus, LambdaFunction
    from knative_lambda.domain.language import Languages
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import ImagePublisher, ImageRegistry, LambdaFunctions, ObjectStorage

_LONGEST_MESSAGE = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishImage:
    """Makes an image once, however often it is asked to; runs nothing of what is in it.

    The event names a build and no more. What the image is made of is in the record, which only
    build-start writes, so no event can mix one lambda's parts into another's.
    """

    records: LambdaFunctions
    registry: ImageRegistry
    images: ImagePublisher
    storage: ObjectStorage
    languages: Languages
    base_images: Mapping[str, str]
    storage_url: str
    registry_url: str
    source_max_bytes: int
    packages_max_bytes: int

    def __call__(self, function: FunctionId, data: BuildPackaged) -> Reply | None:
        """Reply `build.complete`, with a digest or a failure; None for what nobody waits for."""
        record = self.records.get(function)
        wanted = None if record is None else _wanted(record, data.build_id)
        if record is None or wanted is None:
            return None
        outcome = self._outcome(record, wanted, pinned=data.pinned)
        complete = outcome | {"build_id": data.build_id, "pinned": data.pinned}
        return events.Reply(
            type=events.BUILD_COMPLETE,
            function=function,
            data=BuildComplete.model_validate(complete),
        )

    def _outcome(
        self, record: LambdaFunction, wanted: BuildStatus, *, pinned: bool
    ) -> dict[str, object]:
        tag = build.image_tag(wanted.id)
        try:
            digest = self.registry.find(self._repository_url(record.id), tag)
            return {"digest": digest or self._publish(record, wanted, tag, pinned=pinned)}
        except PermanentError as error:
            # The same content fails the same way: its author has to know, and the Broker cannot.
            failure = Failure(
                reason=error.reason,
                message=error.message[:_LONGEST_MESSAGE],
                is_users=isinstance(error, InvalidContentError),
            )
            return {"failure": failure}

    def _publish(
        self, record: LambdaFunction, wanted: BuildStatus, tag: str, *, pinned: bool
    ) -> str:
        language = self.languages.of(record.spec.runtime)
        packages_tag = None
        if wanted.packages_key is not None:
            packages_tag = build.packages_tag(wanted.packages_key)
            if self.registry.find(self._repository_url(record.id), packages_tag) is None:
                self._keep_packages(record, wanted, wanted.packages_key, pinned=pinned)
        order = ImageOrder(
            repository_url=self._repository_url(record.id),
            tag=tag,
            packages_tag=packages_tag,
            base_image_url=self._base_image(wanted),
            runtime=record.spec.runtime,
            language=language,
        )
        with tempfile.TemporaryFile() as file:
            source = cast("BinaryIO", file)
            uri = self.storage_url + build.source_key(record.id, wanted.id)
            self.storage.read(uri, source, max_bytes=self.source_max_bytes)
            source.seek(0)
            return self.images.publish(order, source)

    def _keep_packages(
        self, record: LambdaFunction, wanted: BuildStatus, key: str, *, pinned: bool
    ) -> None:
        """Keep what the Job left, then remove it; whoever dies in between leaves it for the next.

        Another delivery may do the same at the same time: both keep the same packages.
        """
        repository, tag = self._repository_url(record.id), build.packages_tag(key)
        uri = self.storage_url + build.packages_object_key(record.id, wanted.id)
        with tempfile.TemporaryFile() as file:
            archive = cast("BinaryIO", file)
            try:
                self.storage.read(uri, archive, max_bytes=self.packages_max_bytes)
                archive.seek(0)
                # Before the packages: what is kept has a note from which its age counts.
                notes = PackagesNotes(storage=self.storage, storage_url=self.storage_url)
                notes.write(record.id, key, pinned=pinned)
                self.images.keep_packages(
                    repository,
                    tag,
                    language=self.languages.of(record.spec.runtime),
                    runtime=record.spec.runtime,
                    archive=archive,
                )
            except SourceNotFoundError:
                if self.registry.find(repository, tag) is None:
                    raise PackagesMissingError(
                        "the packages that the build installed are gone; deploy again"
                    ) from None
                return
            except LimitExceededError:
                self.storage.delete(uri)
                failure = build.packages_too_large(self.packages_max_bytes)
                raise InvalidContentError(failure.message, reason=failure.reason) from None
            except InvalidContentError:
                self.storage.delete(uri)
                raise
        self.storage.delete(uri)

    def _base_image(self, wanted: BuildStatus) -> str:
        """Return the base image of a build, which may be one of the release before this."""
        url = wanted.base_image or ""
        if url.partition("@")[0] not in {
            own.partition("@")[0] for own in self.base_images.values()
        }:
            raise BaseImageUnknownError("this installation has no such base image; deploy again")
        return url

    def _repository_url(self, function: FunctionId) -> str:
        return f"{self.registry_url}/{function.namespace}/{function.name}"


def _wanted(record: LambdaFunction, build_id: str) -> BuildStatus | None:
    said = record.requested_build
    if record.is_being_deleted or said is None or said.id != build_id:
        return None
    return said if said.completed_by is None and said.reason in {None, build.LOST.reason} else None
