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

_TAG_LENGTH = 40


def build_id(
    *, source_sha256: str, runtime: str, base_image_digest: str, builder_version: str
) -> str:
    """Return the identity of what a build would make, 64 hex digits: equal ids, equal images."""
    parts = (source_sha256, runtime, base_image_digest, builder_version)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def job_name(function: FunctionId, build: str) -> str:
    """Name the Job of one request; the same request always has the same name."""
    return derived_name(f"{function.namespace}-{function.name}", *_identity(function, build))


def image_tag(build: str) -> str:
    """Return the tag under which a finished build is found again."""
    return f"build-{build[:_TAG_LENGTH]}"


def context_key(function: FunctionId, build: str) -> str:
    """Return the key of a build context below the storage root."""
    return f"contexts/{function.namespace}/{function.name}/{build}"


def log_key(function: FunctionId, build: str) -> str:
    """Return the key of a build's log below the storage root; it outlives the Job."""
    return f"logs/{function.namespace}/{function.name}/{build}.log"


def tombstone_key(function: FunctionId) -> str:
    """Return the key of the note that a lambda was deleted, for requests that arrive late."""
    return f"deleted/{function.namespace}/{function.name}"


def _identity(function: FunctionId, build: str) -> tuple[str, str, str]:
    return function.namespace, function.name, build


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildOrder:
    """All that a build Job needs to know."""

    function: FunctionId
    build_id: str
    request_id: str
    runtime: str
    base_image_url: str
    repository_url: str
    context_url: str
    context_sha256: str

    @property
    def name(self) -> str:
        """The Job's name."""
        return job_name(self.function, self.build_id)


class JobState(StrEnum):
    """Whether a build Job is over, and how."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildFailure:
    """Why a build failed, for a person; `is_users` tells a mistake in the source from ours."""

    reason: str
    message: str
    is_users: bool


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
    failure: BuildFailure | None = None


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
