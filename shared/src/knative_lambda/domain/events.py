"""The events of Knative Lambda: their types, the models of their data, and how replies are made.

`docs/schemas/` holds one JSON Schema per type, generated from here.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from knative_lambda.domain.lambda_function import LambdaFunctionSpec, Model, Time
from knative_lambda.domain.set_fields import MAX_SET_FIELDS, SetField

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from knative_lambda.domain.names import FunctionId

PREFIX = "dev.knative-lambda"
SCHEMA_ROOT = "https://knative-lambda.dev/schemas"
SOURCE_ROOT = "/knative-lambda"

BUILD_START = f"{PREFIX}.build.start.v1"
REBUILD = f"{PREFIX}.rebuild.v1"
BUILD_CANCEL = f"{PREFIX}.build.cancel.v1"
BUILD_STARTED = f"{PREFIX}.build.started.v1"
BUILD_PACKAGED = f"{PREFIX}.build.packaged.v1"
BUILD_SUPERSEDED = f"{PREFIX}.build.superseded.v1"
BUILD_COMPLETE = f"{PREFIX}.build.complete.v1"
BUILD_FAILED = f"{PREFIX}.build.failed.v1"
FUNCTION_READY = f"{PREFIX}.function.ready.v1"
DELETE = f"{PREFIX}.delete.v1"
FUNCTION_DELETED = f"{PREFIX}.function.deleted.v1"
CLEANUP = f"{PREFIX}.cleanup.v1"
CLEANUP_DONE = f"{PREFIX}.cleanup.done.v1"

OBJECT_EVENTS = tuple(f"dev.knative.apiserver.ref.{verb}" for verb in ("add", "update", "delete"))
"""What ApiServerSources send about objects: references only, so that no Job spec is in an event."""
RECORD_APPLIED, RECORD_REMOVED = OBJECT_EVENTS[:2], OBJECT_EVENTS[2]
PING = "dev.knative.sources.ping"

MAX_OLD_BASE_IMAGES = 100
"""That many lambdas on an old base image are named; the others are counted."""

_Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
_BuildId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Any other would be a path of Kubernetes' API, or of nothing.
_ObjectName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", max_length=253)
]
_NamespaceName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)
]
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,256}")


class BuildStart(LambdaFunctionSpec):
    """Build this source and run it: the whole spec of the lambda that `subject` names."""

    set_fields: Annotated[list[SetField], Field(max_length=MAX_SET_FIELDS)] = Field(
        [], description="fields that an option set, for the next deployment; env.A, scale.max, ..."
    )
    refresh: bool = Field(
        False, description="install the packages anew, even where those of before are kept"
    )
    replaces: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = Field(
        None, description="only if this is still the id of the newest request"
    )

    @property
    def spec(self) -> LambdaFunctionSpec:
        """The spec alone."""
        return LambdaFunctionSpec.model_validate(
            self.model_dump(include=set(LambdaFunctionSpec.model_fields))
        )


class Rebuild(Model):
    """Build the lambda that `subject` names again, from its record: on a new base image."""

    refresh: bool = Field(False, description="as in the event build.start")


class BuildCancel(Model):
    """End the build of the lambda that `subject` names, whether it waits or runs."""

    request_id: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = Field(
        None, description="only the build of this request: the id of its event"
    )


class BuildStarted(Model):
    """A build Job was made; its first container may still wait for a node."""

    build_id: _BuildId
    job: _ObjectName


class BuildSuperseded(Model):
    """The request is older than one that was accepted before, so nothing was done."""

    accepted_time: Time = Field(description="time of the newer request")
    accepted_event_id: str


class BuildPackaged(Model):
    """All that the image of a build is made of is there; publish makes it."""

    build_id: _BuildId
    pinned: bool = Field(
        False, description="whether it is known that a hash names each package that was installed"
    )


class Failure(Model):
    """Why there is no image."""

    reason: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]{0,63}$")]
    message: Annotated[str, StringConstraints(max_length=4096)]
    is_users: bool = Field(description="whether the mistake is in the source")


class BuildComplete(Model):
    """The image of a build exists, or cannot be made: one of digest and failure."""

    build_id: _BuildId
    digest: _Digest | None = None
    pinned: bool = Field(False, description="as in the event build.packaged")
    failure: Failure | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.digest is None) == (self.failure is None):
            raise ValueError("needs exactly one of digest, failure")
        return self


class BuildFailed(Model):
    """A build, or the start of what it made, failed; the previous revision continues to serve."""

    build_id: _BuildId
    reason: str
    message: str
    retryable: bool = Field(description="whether the same source may build another time")
    log: str = Field(description="the last lines")


class FunctionReady(Model):
    """The lambda responds at its URL with this image."""

    build_id: _BuildId
    url: str
    image: str
    revision: str


class Delete(Model):
    """Remove the lambda that `subject` names, and all it owns."""


class FunctionDeleted(Model):
    """Nothing of the lambda is left."""


class Cleanup(Model):
    """Collect what nobody needs."""

    dry_run: bool = False


class CleanupDone(Model):
    """What was collected; with a dry run, what would have been."""

    dry_run: bool
    finished: bool = Field(True, description="false: time ran out, and the next passes continue")
    jobs: int = 0
    sources: int = 0
    contexts: int = 0
    packages: int = 0
    logs: int = 0
    images: int = 0
    notified_jobs: int = Field(
        0,
        alias="announcedJobs",  # older than the word
        description="Jobs that ended without anybody dealing with it",
    )
    notified_records: int = Field(
        0, description="records that were applied, and that nobody has taken up"
    )
    stuck_builds: int = 0
    tombstones: int = 0
    dead_letters: int = 0
    old_base_images: Annotated[list[str], Field(max_length=MAX_OLD_BASE_IMAGES)] = Field(
        [], description="lambdas whose newest build used another base image than a new one would"
    )
    old_base_image_count: int = Field(0, description="how many there are of them")


class ObjectReference(Model):
    """The object reference that an ApiServerSource sends in mode Reference."""

    model_config = ConfigDict(extra="ignore")

    kind: str
    # Both become parts of keys in storage.
    namespace: _NamespaceName
    name: _ObjectName


OWN_EVENTS: Mapping[str, type[Model]] = {
    BUILD_START: BuildStart,
    REBUILD: Rebuild,
    BUILD_CANCEL: BuildCancel,
    BUILD_STARTED: BuildStarted,
    BUILD_PACKAGED: BuildPackaged,
    BUILD_SUPERSEDED: BuildSuperseded,
    BUILD_COMPLETE: BuildComplete,
    BUILD_FAILED: BuildFailed,
    FUNCTION_READY: FunctionReady,
    DELETE: Delete,
    FUNCTION_DELETED: FunctionDeleted,
    CLEANUP: Cleanup,
    CLEANUP_DONE: CleanupDone,
}
"""Every event type of ours, with the model of its data."""


def schema_url(event_type: str) -> str:
    """Return the `dataschema` of an event type: the name of its file in docs/schemas."""
    return f"{SCHEMA_ROOT}/{event_type}.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A CloudEvent whose context attributes are valid; `data` is its decoded JSON."""

    id: str
    source: str
    type: str
    time: datetime | None = None
    subject: str | None = None
    data: Any = None
    extensions: Mapping[str, str] = field(default_factory=dict)

    def carried(self, extension: str) -> str | None:
        """Return an extension that replies carry on; None where it does not fit an ASCII header."""
        value = self.extensions.get(extension, "")
        return value if _PRINTABLE.fullmatch(value) else None

    @property
    def correlation_id(self) -> str:
        """The one id of a whole chain of events, derived from this event where it has none."""
        derived = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.source}\0{self.id}")
        return self.carried("correlationid") or str(derived)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a use case replies, before it becomes a CloudEvent."""

    type: str
    function: FunctionId | None
    data: Model


def reply_id(source: str, event_id: str, reply_type: str) -> str:
    """Derive the id of a reply, so that a redelivered event repeats the same reply."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{source}\0{event_id}\0{reply_type}"))
