"""The LambdaFunction record: what is requested (spec) and what exists (status).

The field names in JSON are those of the custom resource `lambdafunctions.knative-lambda.dev`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from knative_lambda.domain.hosted_source import HTTPS, has_credentials, is_hosted, names_one_object
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.quantities import QUANTITY_SCHEMA, checked_quantity, parse_quantity
from knative_lambda.domain.text import check_paths, checked_text, checked_time, whole_number

if TYPE_CHECKING:
    from pydantic import ValidationInfo

API_GROUP = "knative-lambda.dev"
API_VERSION = f"{API_GROUP}/v1alpha1"
KIND = "LambdaFunction"

# The platform sets these for the runtime's server; a user's value would break that contract.
_RESERVED_ENV = re.compile(
    r"PORT|HOST|K_SERVICE|K_REVISION|K_CONFIGURATION|FUNCTION_.*|KN_LAMBDA_.*"
)
# Such as the Secret that nodes pull images with, which is in every tenant's namespace.
_RESERVED_SECRETS = "knative-lambda-"
_IMAGE_BY_DIGEST = r"^[a-z0-9][a-zA-Z0-9.:_/-]*@sha256:[0-9a-f]{64}$"
_ATTRIBUTE_NAME = re.compile(r"[a-z0-9]{1,20}")

# More than any event has; it also keeps the custom resource's validation within its cost limit.
_MAX_ATTRIBUTES = 100
_ATTRIBUTE_VALUE = re.compile(r"[^\x00-\x1f\x7f]{1,1024}")

_Text = Annotated[str, AfterValidator(checked_text)]
_VariableValue = Annotated[_Text, StringConstraints(pattern=r"^[^\x00]*$")]
_ObjectName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", max_length=253
    ),
]
# JSON has one kind of number: 60.0 is a whole one too.
_Count = Annotated[int, BeforeValidator(whole_number)]
Time = Annotated[datetime, BeforeValidator(checked_time)]
_Key = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]


def _checked_secret(name: str) -> str:
    if name.startswith(_RESERVED_SECRETS):
        raise ValueError(
            f"begins with {_RESERVED_SECRETS}, as the platform's own Secrets do; put what the "
            "function needs into a Secret with another name"
        )
    return name


class Model(BaseModel):
    """Frozen, camelCase in JSON; unknown fields and values of another type are rejected."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True
    )

    def to_json(self) -> dict[str, object]:
        """JSON shape, without what is unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class SecretReference(Model):
    """A Secret in the lambda's namespace that is not the platform's own."""

    name: _ObjectName

    @field_validator("name")
    @classmethod
    def _not_of_the_platform(cls, name: str) -> str:
        return _checked_secret(name)


class Source(Model):
    """Where the code is: exactly one of uri, inline and image."""

    uri: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = Field(
        None,
        description="s3://bucket/key or https://host/path: one file, a .zip, .tar or .tar.gz; "
        "s3://bucket/prefix/; or git+https://host/repository@ref#path",
    )
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="of the bytes of the one object at uri; https:// needs it"
    )
    secret_ref: SecretReference | None = Field(
        None,
        description="what opens an https:// or git+https:// uri: "
        "username and password, or bearerToken",
    )
    inline: dict[_Text, _Text] | None = Field(None, description="relative path -> text of the file")
    image: Annotated[str, StringConstraints(pattern=_IMAGE_BY_DIGEST, max_length=512)] | None = (
        Field(None, description="a finished image, by digest")
    )

    @field_validator("inline")
    @classmethod
    def _paths_stay_inside(cls, inline: dict[str, str] | None) -> dict[str, str] | None:
        if inline is not None:
            check_paths(inline)
        return inline

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.uri, self.inline, self.image)) != 1:
            raise ValueError("needs exactly one of uri, inline, image")
        return self

    @model_validator(mode="after")
    def _fields_of_the_uri(self) -> Self:
        uri = self.uri or ""
        if self.sha256 is not None and not names_one_object(uri):
            raise ValueError("has sha256, which is for a uri of one object")
        if self.sha256 is None and uri.startswith(HTTPS):
            raise ValueError("needs sha256, because its uri begins with https://")
        if self.secret_ref is not None and not is_hosted(uri):
            raise ValueError("has secretRef, which is for a uri with https:// or git+https://")
        if has_credentials(uri):
            raise ValueError(
                "has a uri with a user or a password; put them into a Secret, and its "
                "name into secretRef"
            )
        return self


class KeyReference(Model):
    """One key of a Secret or ConfigMap in the lambda's namespace."""

    name: _ObjectName
    key: _Key
    optional: bool = False


STORED: Final[dict[str, Any]] = {"stored": True}
"""Validation context of a record that exists: rules that may be younger than it do not hold."""


class SecretKeyReference(KeyReference):
    """One key of a Secret that is not the platform's own."""

    @field_validator("name")
    @classmethod
    def _not_of_the_platform(cls, name: str, info: ValidationInfo) -> str:
        return name if info.context == STORED else _checked_secret(name)


class EnvironmentVariable(Model):
    """A variable by value, or read from a Secret or ConfigMap when the function starts."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)]
    value: _VariableValue | None = None
    secret_key_ref: SecretKeyReference | None = None
    config_map_key_ref: KeyReference | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if _RESERVED_ENV.fullmatch(self.name):
            raise ValueError(f"{self.name} is set by the platform; choose another name")
        origins = (self.value, self.secret_key_ref, self.config_map_key_ref)
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError(
                f"{self.name} needs exactly one of value, secretKeyRef, configMapKeyRef"
            )
        return self


class Scale(Model):
    """How many instances, and how many requests each handles at once."""

    min: Annotated[_Count, Field(ge=0, le=1000)] = 0
    max: Annotated[_Count, Field(ge=1, le=1000)] = 50
    target: Annotated[_Count, Field(ge=1, le=1000)] = 10
    concurrency: Annotated[_Count, Field(ge=1, le=1000)] = 10
    burst_capacity: Annotated[_Count, Field(ge=-1, le=100_000)] | None = Field(
        None, description="requests above those under way for which Knative keeps a buffer"
    )

    @model_validator(mode="after")
    def _min_below_max(self) -> Self:
        if self.min > self.max:
            raise ValueError("min must not be above max")
        return self


_Quantity = Annotated[
    str | int, BeforeValidator(checked_quantity), WithJsonSchema(dict(QUANTITY_SCHEMA))
]


class ResourceList(Model):
    """Kubernetes quantities."""

    cpu: _Quantity | None = None
    memory: _Quantity | None = None


class Resources(Model):
    """What an instance requests, and what it may not exceed."""

    requests: ResourceList = ResourceList(cpu="50m", memory="64Mi")
    limits: ResourceList = ResourceList(cpu="1", memory="512Mi")

    @model_validator(mode="after")
    def _requests_within_limits(self) -> Self:
        for name in ResourceList.model_fields:
            request, limit = getattr(self.requests, name), getattr(self.limits, name)
            if None in {request, limit} or parse_quantity(request) <= parse_quantity(limit):
                continue
            raise ValueError(
                f"requests.{name} ({request}) must not be above limits.{name} ({limit}); "
                "both have defaults, so give both"
            )
        return self


class LambdaFunctionSpec(Model):
    """What a person requests."""

    source: Source
    runtime: Annotated[str, StringConstraints(pattern=r"^[a-z]+[0-9][0-9.]*$", max_length=32)]
    handler: (
        Annotated[
            str,
            StringConstraints(
                # A path inside the source: each part a module's name, with its dots.
                # No \w, which differs between regular expression engines.
                pattern=(
                    r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*/)*"
                    r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.[A-Za-z_$][A-Za-z0-9_$]*$"
                ),
                max_length=255,
            ),
        ]
        | None
    ) = Field(None, description="module.function; the runtime's own default where absent")
    signature: Literal["cloudevent", "http"] = "cloudevent"
    env: Annotated[list[EnvironmentVariable], Field(max_length=200)] = []
    scale: Scale = Scale()
    resources: Resources = Resources()
    # Knative rejects more by default, and a tenant's Broker waits a little longer than that.
    timeout_seconds: Annotated[_Count, Field(ge=1, le=600)] = 60
    subscriptions: Annotated[list[dict[_Text, _Text]], Field(max_length=20)] = Field(
        [], description="each an exact filter on CloudEvents attributes of the tenant's Broker"
    )

    @field_validator("env")
    @classmethod
    def _names_once(cls, env: list[EnvironmentVariable]) -> list[EnvironmentVariable]:
        names = [variable.name for variable in env]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} is there twice")
        return env

    @field_validator("subscriptions")
    @classmethod
    def _filters_name_attributes(
        cls, subscriptions: list[dict[str, str]], info: ValidationInfo
    ) -> list[dict[str, str]]:
        for attributes in subscriptions:
            if not attributes:
                raise ValueError("a subscription without attributes would take every event")
            if len(attributes) > _MAX_ATTRIBUTES:
                raise ValueError(f"a subscription may have {_MAX_ATTRIBUTES} attributes")
            for name, value in attributes.items():
                is_data = name == "data" and info.context != STORED
                if is_data or not _ATTRIBUTE_NAME.fullmatch(name):
                    raise ValueError(f"{name[:40]!r} is not the name of a CloudEvents attribute")
                if not _ATTRIBUTE_VALUE.fullmatch(value):
                    raise ValueError(f"{name} needs a value of 1 to 1024 printable characters")
        return subscriptions


class Phase(StrEnum):
    """Where a lambda is in its life."""

    PENDING = "Pending"
    BUILDING = "Building"
    DEPLOYING = "Deploying"
    READY = "Ready"
    FAILED = "Failed"
    DELETING = "Deleting"


# A newer control plane may have written more than this one knows.
_WRITTEN_BY_US = ConfigDict(extra="ignore")


QUEUED = "Queued"
"""Reason of the condition BuildReady while a build waits for others to end."""

ConditionType = Literal[
    "Ready",
    "SourceReady",
    "BuildReady",
    "ServiceReady",
    "SubscriptionsReady",
    "Reconciling",
    "Stalled",
]


class Condition(Model):
    """A Kubernetes condition; `Ready` sums up the whole lambda, as its phase does.

    `Reconciling` and `Stalled` are there only while they are true, as kstatus wants it
    (sigs.k8s.io/cli-utils/pkg/kstatus).
    """

    model_config = _WRITTEN_BY_US

    # A newer control plane may know more of them.
    type: ConditionType | str
    status: Literal["True", "False", "Unknown"]
    reason: str = ""
    message: str = ""
    last_transition_time: Time


class BuildStatus(Model):
    """The newest build of a lambda."""

    model_config = _WRITTEN_BY_US

    id: str
    # The names in JSON are older than the word.
    request_id: str = Field(alias="wishId", description="id of the event that requested this build")
    request_time: Time | None = Field(None, alias="wishTime", description="time of that event")
    source_sha256: str | None = Field(None, description="of the archive that holds the source")
    source_commit: str | None = Field(
        None, description="which git+https:// named when this build was requested"
    )
    base_image: str | None = Field(None, description="URL, by digest")
    packages_requested: str | None = Field(
        None, description="SHA-256 of the files that ask for packages; none where no file does"
    )
    packages_key: str | None = Field(None, description="of the packages that the image contains")
    packages_epoch: str = Field(
        "", description="the request that installed them anew; empty where none did"
    )
    packages_pinned: bool = Field(
        False, description="whether a hash names each package that this build installed"
    )
    packages_resolved_at: Time | None = Field(
        None, description="when they were installed; none where this build installs them"
    )
    job: str | None = None
    digest: str | None = None
    started_at: Time | None = None
    finished_at: Time | None = None
    reason: str | None = None
    message: str | None = None
    log: str | None = Field(None, description="the last lines; all of it is in storage at logUri")
    log_uri: str | None = None
    completed_by: str | None = Field(
        None, description="id of the event that recorded the outcome of this build"
    )

    def serves(self, request: RequestStamp) -> bool:
        """Whether this is the build of that very request; some senders use an id twice."""
        return (self.request_time, self.request_id) == (request.time, request.event_id)


class PackagesStatus(Model):
    """The packages of the newest build that succeeded."""

    model_config = _WRITTEN_BY_US

    requested: str
    key: str
    epoch: str = ""
    resolved_at: Time
    pinned: bool = Field(description="whether a hash names each of them, so that they never age")


class LambdaFunctionStatus(Model):
    """What exists, as the control functions saw it last."""

    model_config = _WRITTEN_BY_US

    phase: Annotated[Phase, Field(strict=False)] = Phase.PENDING
    observed_generation: _Count = 0
    observed_request: str | None = Field(
        None, description="the newest request that a control function has taken up"
    )
    conditions: list[Condition] = []
    build: BuildStatus | None = None
    packages: PackagesStatus | None = None
    image: str | None = None
    url: str | None = None
    revision: str | None = None
    collecting: list[str] = Field(
        [], description="digests of images that cleanup is removing, which nobody may deploy"
    )


class LambdaFunction(Model):
    """One record, with the version that optimistic writes compare."""

    id: FunctionId
    spec: LambdaFunctionSpec
    status: LambdaFunctionStatus = LambdaFunctionStatus()
    stamp: RequestStamp
    """Of the newest request, which is an event's, or the record itself as somebody applied it."""
    event_stamp: RequestStamp | None = None
    """Of the newest event that wrote the spec; None where none did."""
    refresh: bool = False
    """Whether the record, as somebody applied it, asks for its packages to be installed anew."""
    set_fields: list[str] = []
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    deleting: bool = False

    @property
    def is_being_deleted(self) -> bool:
        """Whether Kubernetes or our own delete function is removing it."""
        return self.deleting or self.status.phase is Phase.DELETING

    @property
    def is_applied(self) -> bool:
        """Whether somebody wrote the record since the newest event, and so asked for the lambda."""
        return self.stamp != self.event_stamp

    @property
    def is_observed(self) -> bool:
        """Whether a control function has taken up the newest request, or has rejected it."""
        return self.status.observed_request == self.stamp.key or self.requested_build is not None

    @property
    def requested_build(self) -> BuildStatus | None:
        """The build of the newest request.

        None until build-start has written which one that is, and where it rejected the request.
        """
        build = self.status.build
        return build if build is not None and build.serves(self.stamp) else None


class RequestStamp(Model):
    """Which request made this state. Stamps are ordered by the event's time, then by its id."""

    time: Time
    event_id: str

    @property
    def key(self) -> str:
        """A text that identifies this request."""
        return f"{self.time.astimezone(UTC).isoformat()}/{self.event_id}"

    def is_older_than(self, other: RequestStamp) -> bool:
        """Whether `other` was requested after this."""
        return (self.time, self.event_id) < (other.time, other.event_id)


LambdaFunction.model_rebuild()
