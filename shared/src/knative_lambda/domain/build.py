"""A build: its identity, where its files are kept, and how it can end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from knative_lambda.domain.names import derived_name

if TYPE_CHECKING:
    from datetime import datetime

    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.storage import Upload

_TAG_LENGTH = 40

PACKAGES_TOO_LARGE = "PackagesTooLarge"
"""The reason of `packages_too_large`."""


def packages_key(
    *,
    requested_sha256: str,
    runtime: str,
    platform: str,
    index: str,
    policy: str,
    builder_version: str,
    epoch: str,
) -> str:
    """Return the identity of the packages that a request asks for, 64 hex digits.

    Not of the base image: a fixed one takes the same packages. `epoch` tells a fresh resolution of
    the same request from the one before.
    """
    return _sha256(requested_sha256, runtime, platform, index, policy, builder_version, epoch)


def build_id(
    *,
    source_sha256: str,
    runtime: str,
    base_image_digest: str,
    builder_version: str,
    packages_key: str,
) -> str:
    """Return the identity of what a build would make, 64 hex digits: equal ids, equal images.

    Without packages, `packages_key` is empty.
    """
    return _sha256(source_sha256, runtime, base_image_digest, builder_version, packages_key)


def job_name(function: FunctionId, build: str) -> str:
    """Name the Job of one request; the same request always has the same name."""
    return derived_name(f"{function.namespace}-{function.name}", *_identity(function, build))


def image_tag(build: str) -> str:
    """Return the tag under which a finished build is found again."""
    return f"build-{build[:_TAG_LENGTH]}"


def packages_tag(key: str) -> str:
    """Return the tag under which kept packages are found again, in the lambda's repository."""
    return f"packages-{key[:_TAG_LENGTH]}"


def source_key(function: FunctionId, build: str) -> str:
    """Return the key, below the storage root, of the source that an image is made of."""
    return f"sources/{function.namespace}/{function.name}/{build}"


def context_key(function: FunctionId, build: str) -> str:
    """Return the key of what a build Job gets: the files that ask for packages."""
    return f"contexts/{function.namespace}/{function.name}/{build}"


def packages_object_key(function: FunctionId, build: str) -> str:
    """Return the key of what a build Job leaves, until it is kept in the registry."""
    return f"packages/{function.namespace}/{function.name}/{build}"


def kept_packages_key(function: FunctionId, packages: str) -> str:
    """Return the key of the note that packages are kept, from which their age counts."""
    return f"kept/{function.namespace}/{function.name}/{packages}"


def log_key(function: FunctionId, build: str) -> str:
    """Return the key of a build's log below the storage root; it outlives the Job."""
    return f"logs/{function.namespace}/{function.name}/{build}.log"


def tombstone_key(function: FunctionId) -> str:
    """Return the key of the note that a lambda was deleted, for requests that arrive late."""
    return f"deleted/{function.namespace}/{function.name}"


def _sha256(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _identity(function: FunctionId, build: str) -> tuple[str, str, str]:
    return function.namespace, function.name, build


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildOrder:
    """All that a build Job needs to know: it installs packages, and leaves them in storage."""

    function: FunctionId
    build_id: str
    request_id: str
    runtime: str
    context_url: str
    context_sha256: str
    upload: Upload

    @property
    def name(self) -> str:
        """The Job's name."""
        return job_name(self.function, self.build_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildAccess:
    """What opens the objects of one build; a Job that waits gets it when it is released."""

    function: FunctionId
    name: str
    context_url: str
    upload: Upload


class JobState(StrEnum):
    """Whether a build Job is over, and how."""

    WAITING = "Waiting"  # in the queue of builds; it has no Pod
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildFailure:
    """Why a build failed, for a person; `is_users` tells a mistake in the source from ours."""

    reason: str
    message: str
    is_users: bool


LOST = BuildFailure(
    reason="BuildLost", message="nobody saw the end of this build; deploy again", is_users=False
)
"""Of a build that cleanup gave up; one that ends after all is deployed."""


def packages_too_large(max_bytes: int) -> BuildFailure:
    """Return the failure of a build that installed more than an image may have."""
    return BuildFailure(
        reason=PACKAGES_TOO_LARGE,
        message=f"the installed packages are over {max_bytes} bytes; install fewer or smaller ones",
        is_users=True,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildJob:
    """A build Job as the platform reports it.

    One that failed without `finished_at` is still retried, though no attempt can succeed.
    """

    name: str
    function: FunctionId
    build_id: str
    request_id: str
    state: JobState
    created_at: datetime
    finished_at: datetime | None = None
    digest: str | None = None
    """Of the image that a Job of an older version pushed itself."""
    pinned: bool = False
    """Whether each of its packages was named by a hash."""
    failure: BuildFailure | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it neither waits nor runs."""
        return self.state not in {JobState.WAITING, JobState.RUNNING}


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingBuild:
    """A build Job of which no container has run yet."""

    has_pod: bool
    since: datetime
    """When its newest Pod was made; without one, when the Job was."""
    obstacle: BuildFailure | None = None
    """What keeps the Pod from starting; None while it makes progress."""
    is_lasting: bool = False
    """Whether waiting is of no use."""
