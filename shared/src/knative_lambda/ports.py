"""What the use cases need from the world, as Protocols.

Every method may raise `RetryableError` (the world is in trouble) or `PermanentError` (the request
itself can never work); the docstrings name only what is special. One contract test per port runs
on every adapter and on the fake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from typing import Any, BinaryIO

    from knative_lambda.domain.build import BuildAccess, BuildJob, BuildOrder, PendingBuild
    from knative_lambda.domain.build_queue import QueuedBuild
    from knative_lambda.domain.caller import Page, PodLog, Right
    from knative_lambda.domain.deployment import Deployment, ServiceState
    from knative_lambda.domain.errors import KnativeLambdaError
    from knative_lambda.domain.events import Event
    from knative_lambda.domain.hosted_source import Checkout
    from knative_lambda.domain.image import ImageOrder
    from knative_lambda.domain.lambda_function import LambdaFunction
    from knative_lambda.domain.language import Language
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.storage import SignedPut, StoredObject, Upload


class ObjectStorage(Protocol):
    """Objects named by absolute URIs (`s3://bucket/key`, `file:///folder/key`)."""

    def describe(self, uri: str) -> StoredObject:
        """Return size and time of one object; `SourceNotFoundError` where there is none."""
        ...

    def list(self, prefix: str, *, limit: int) -> Iterator[StoredObject]:
        """Yield objects below a prefix that ends in `/`, by ascending URI.

        Raises `LimitExceededError` when there are more than `limit`; an empty prefix lists nothing.
        """
        ...

    def read(self, uri: str, target: BinaryIO, *, max_bytes: int) -> int:
        """Copy one object into `target`, return its size; `LimitExceededError` over `max_bytes`."""
        ...

    def write(self, uri: str, source: BinaryIO) -> None:
        """Store all of `source` (seekable, at its start); readers never see a part of it."""
        ...

    def delete(self, uri: str) -> None:
        """Remove one object; one that is not there is removed already."""
        ...

    def download_url(self, uri: str, *, expires_in: timedelta) -> str:
        """Return a URL that fetches this object without credentials until it expires."""
        ...

    def upload_url(self, uri: str, *, expires_in: timedelta, max_bytes: int) -> Upload:
        """Return how to write this object without credentials until it expires.

        Where the store can bound the size, a larger one is refused; else the reader has to. A part
        of it may be visible after a connection broke: who wrote it knows whether it is complete.
        """
        ...

    def signed_put(
        self, uri: str, *, expires_in: timedelta, size_bytes: int, sha256: str
    ) -> SignedPut | None:
        """Return how to store this content, and no other, without credentials until it expires.

        None where the store cannot hold anybody to size and SHA-256 (in hexadecimal).
        """
        ...


class SourceArchives(Protocol):
    """Archives of sources, which strangers made."""

    def read(self, archive: BinaryIO, wanted: Callable[[str], bool]) -> dict[str, bytes]:
        """Return the files whose path is wanted, by path; all members are checked on the way.

        `InvalidContentError` where it is no archive, or one that may not be unpacked.
        """
        ...


class HostedSources(Protocol):
    """Sources on hosts that the operator allows; `UnsupportedSourceError` for any other host.

    `secret` names the Secret of the lambda's namespace that opens the source. What a host sends is
    bounded in bytes and time: `LimitExceededError` and `SourceUnavailableError`.
    """

    def read(
        self,
        function: FunctionId,
        uri: str,
        secret: str | None,
        target: BinaryIO,
        *,
        max_bytes: int,
    ) -> None:
        """Copy what is at an `https://` URL into `target`."""
        ...

    def checkout(
        self, function: FunctionId, uri: str, secret: str | None
    ) -> AbstractContextManager[Checkout]:
        """Fetch the commit that a `git+https://` URL names; its files are read within the context.

        A link or a submodule among them is `UnsupportedSourceError`.
        """
        ...


class SourceSecrets(Protocol):
    """The Secrets of tenants that open their sources."""

    def authorization(self, function: FunctionId, name: str) -> str:
        """Return the header `Authorization` that a Secret stands for.

        `SourceAccessDeniedError` where it is not there, not complete, or not ours to read.
        """
        ...


class Clock(Protocol):
    """The time, for rules that compare times."""

    def now(self) -> datetime:
        """Now, with a time zone."""
        ...


class LambdaFunctions(Protocol):
    """The records. Writes compare versions: `ConflictError` when somebody wrote in between."""

    def get(self, function: FunctionId) -> LambdaFunction | None:
        """Return the newest state of one record; `UnreadableRecordError` for an invalid one."""
        ...

    def create(self, record: LambdaFunction) -> LambdaFunction:
        """Write a new record; `ConflictError` when there is one."""
        ...

    def replace_request(self, record: LambdaFunction) -> LambdaFunction:
        """Write the spec together with the stamp of its request, which is an event's."""
        ...

    def replace_status(self, record: LambdaFunction) -> LambdaFunction:
        """Write the status and nothing else."""
        ...

    def delete(self, record: LambdaFunction) -> None:
        """Remove this very record (by uid); one that is gone is removed already."""
        ...

    def discard(self, function: FunctionId) -> None:
        """Remove a record that cannot be read; leave one that can be."""
        ...

    def refuse(self, function: FunctionId, now: datetime) -> None:
        """Say in its status why a record cannot be read; do nothing about one that can be."""
        ...

    def remind(self, function: FunctionId, now: datetime) -> None:
        """Cause the watchers of this record to look at it again; done when it is gone."""
        ...

    def list(self) -> Iterator[LambdaFunction]:
        """Yield all records that can be read and that this installation may see, page by page."""
        ...


class BuildJobs(Protocol):
    """Build Jobs, named by `BuildOrder.name`."""

    def start(self, order: BuildOrder, *, waits: bool = False) -> BuildJob:
        """Make the Job, or return the one that is there, which is this request's from now on.

        One that `waits` runs only once it is released from the queue.
        """
        ...

    def get(self, name: str) -> BuildJob | None:
        """Return a Job of ours; None for one that is gone or is not a build."""
        ...

    def pending(self, name: str) -> PendingBuild | None:
        """Return how far its start is; None once a container has run, or when it ended or is gone.

        None too while somebody holds its Pod back on purpose.
        """
        ...

    def log_tail(self, name: str, *, max_bytes: int) -> str:
        """Return the end of what its containers wrote, in order; empty when nothing is left."""
        ...

    def close(self, name: str) -> None:
        """Remove what opens the objects of a Job that has ended; do nothing while it has not."""
        ...

    def delete(self, name: str) -> None:
        """Remove a Job and its Pods; one that is gone is removed already."""
        ...

    def notify(self, name: str) -> None:
        """Cause the watchers of this Job to look at it again; done when it is gone."""
        ...

    def list(self, function: FunctionId | None = None) -> Iterator[BuildJob]:
        """Yield the Jobs of one lambda, or all, page by page."""
        ...


class BuildQueue(Protocol):
    """The build Jobs that wait or run, as far as their order and number matter."""

    def builds(self, *, exact: bool = True) -> list[QueuedBuild]:
        """Return all of them; if not `exact`, those that ended a moment ago may still be there."""
        ...

    def release(self, build: QueuedBuild, access: BuildAccess) -> bool:
        """Let a build run that waits; False, and nothing done, if it has changed or is gone."""
        ...

    def withdraw(self, build: QueuedBuild) -> bool:
        """Remove a build; False, and nothing done, if it has changed since."""
        ...


class LambdaServices(Protocol):
    """The Knative Services of lambdas, and the Triggers of their subscriptions."""

    def apply(self, deployment: Deployment) -> bool:
        """Make Service and Trigger what the deployment says; remove a Trigger it no longer has.

        False, and nothing done, when the Service shows a newer generation of the same record.
        """
        ...

    def watch(self, deployment: Deployment) -> None:
        """Have events sent about them and each of their changes, until they are applied again.

        Does nothing when the Service shows a newer generation of the same record.
        """
        ...

    def state(self, deployment: Deployment) -> ServiceState:
        """Return the state of this deployment's revision; at first neither ready nor failed.

        A failure that room or time may resolve says since when its Pod waits.
        """
        ...

    def delete(self, function: FunctionId) -> None:
        """Remove Service and Triggers; what is gone already is no error."""
        ...

    def images_in_use(self) -> Iterator[str]:
        """Yield every image that a Service or a Revision refers to."""
        ...


class EventRecorder(Protocol):
    """Records Kubernetes Events that tell the people of a namespace about rejected requests."""

    def record_rejection(
        self, function: FunctionId, event: Event, error: KnativeLambdaError
    ) -> None:
        """Say why an event is rejected for good; once, however often it is delivered."""
        ...


class ImageRegistry(Protocol):
    """Finished images. Repositories are addressed by URL, as builds address them."""

    def find(self, repository_url: str, tag: str) -> str | None:
        """Return the digest behind a tag; None where there is none."""
        ...

    def list_tags(self, repository_url: str) -> list[str]:
        """Return all tags; none where the repository is unknown."""
        ...

    def delete(self, repository_url: str, digest: str) -> None:
        """Remove a manifest and its tags; one that is gone is removed already."""
        ...


class ImagePublisher(Protocol):
    """Makes images out of archives of strangers, and writes them to the registry.

    Content that cannot become an image raises `InvalidContentError`. Nothing of it is executed.
    """

    def keep_packages(
        self, repository_url: str, tag: str, *, language: Language, runtime: str, archive: BinaryIO
    ) -> None:
        """Keep what a build Job installed under this tag, as one layer, or as none."""
        ...

    def publish(self, order: ImageOrder, source: BinaryIO) -> str:
        """Make the image of this source and return its digest; again, it is the same image.

        `PackagesMissingError` where the packages that it names are not kept.
        """
        ...


class CallersCluster(Protocol):
    """Kubernetes with the rights of whoever calls, and with no other.

    `UnauthenticatedError` and `ForbiddenError` where Kubernetes says so.
    """

    def lambdas(
        self, namespace: str, *, limit: int, after: str | None, selector: str | None
    ) -> Page:
        """Return a page of the records of a namespace, at most `limit`; `ExpiredError` if too late.

        The next page begins `after` what this one says.
        """
        ...

    def find(self, function: FunctionId) -> dict[str, Any] | None:
        """Return a record as it is, read or not by the domain; None where there is none."""
        ...

    def may(self, namespace: str, right: Right) -> bool:
        """Whether the caller has a right in a namespace."""
        ...

    def logs(
        self, function: FunctionId, *, lines: int, timestamps: bool, max_bytes: int
    ) -> list[PodLog]:
        """Return the end of the log of each of a lambda's Pods; none where there is no Pod."""
        ...
