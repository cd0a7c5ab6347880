"""The LambdaFunction record: what is wished for (spec) and what is there (status).

The field names in JSON are those of the custom resource `lambdafunctions.knative-lambda.dev`.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from knative_lambda.domain.names import FunctionId

API_GROUP = "knative-lambda.dev"
API_VERSION = f"{API_GROUP}/v1alpha1"
KIND = "LambdaFunction"

_INLINE_PATH = re.compile(r"^(?!/)(?!.*(^|/)\.{1,2}(/|$))[^\x00-\x1f\\]+(?<!/)$")
# The platform speaks to the function through these; a user's value would break the contract.
_RESERVED_ENV = re.compile(r"^(PORT|K_SERVICE|K_REVISION|K_CONFIGURATION|FUNCTION_.*)$")
_IMAGE_BY_DIGEST = r"^[a-z0-9][a-zA-Z0-9.:_/-]*@sha256:[0-9a-f]{64}$"
_ATTRIBUTE_NAME = re.compile(r"^[a-z0-9]{1,20}$")


class Model(BaseModel):
    """Frozen, camelCase in JSON, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )

    def to_json(self) -> dict[str, object]:
        """JSON shape, without what is unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Source(Model):
    """Where the code is: exactly one of the three."""

    uri: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = Field(
        None,
        description="s3://bucket/key: one file, a .zip, .tar or .tar.gz, or a prefix ending in /",
    )
    inline: dict[str, str] | None = Field(None, description="relative path -> text of the file")
    image: Annotated[str, StringConstraints(pattern=_IMAGE_BY_DIGEST, max_length=512)] | None = (
        Field(None, description="a finished image, by digest")
    )

    @field_validator("inline")
    @classmethod
    def _paths_stay_inside(cls, inline: dict[str, str] | None) -> dict[str, str] | None:
        if inline is not None:
            if not 1 <= len(inline) <= 1000:  # noqa: PLR2004
                raise ValueError("needs 1 to 1000 files")
            for path in inline:
                if len(path) > 255 or not _INLINE_PATH.fullmatch(path):  # noqa: PLR2004
                    raise ValueError(f"{path[:60]!r} is not a relative path inside the source")
        return inline

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.uri, self.inline, self.image)) != 1:
            raise ValueError("needs exactly one of uri, inline, image")
        return self


class KeyReference(Model):
    """One key of a Secret or ConfigMap in the lambda's namespace."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    key: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    optional: bool = False


class EnvironmentVariable(Model):
    """A variable by value, or read from a Secret or ConfigMap when the function starts."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)]
    value: str | None = None
    secret_key_ref: KeyReference | None = None
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
    """How many instances, and how many requests each takes at once."""

    min: Annotated[int, Field(ge=0, le=1000)] = 0
    max: Annotated[int, Field(ge=1, le=1000)] = 50
    target: Annotated[int, Field(ge=1, le=1000)] = 10
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 10

    @model_validator(mode="after")
    def _min_below_max(self) -> Self:
        if self.min > self.max:
            raise ValueError("min must not be above max")
        return self


_Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$")]


class ResourceList(Model):
    """Kubernetes quantities."""

    cpu: _Quantity | None = None
    memory: _Quantity | None = None


class Resources(Model):
    """What an instance is given, and what it may not exceed."""

    requests: ResourceList = ResourceList(cpu="50m", memory="64Mi")
    limits: ResourceList = ResourceList(cpu="1", memory="512Mi")


class LambdaFunctionSpec(Model):
    """What a person wishes for."""

    source: Source
    runtime: Annotated[str, StringConstraints(pattern=r"^[a-z]+[0-9][0-9.]*$", max_length=32)]
    handler: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[A-Za-z0-9_./-]+\.[A-Za-z_$][\w$]*$", max_length=255),
        ]
        | None
    ) = Field(None, description="module.function; the runtime's own default where absent")
    signature: Literal["cloudevent", "http"] = "cloudevent"
    env: Annotated[list[EnvironmentVariable], Field(max_length=200)] = []
    scale: Scale = Scale()
    resources: Resources = Resources()
    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    subscriptions: Annotated[list[dict[str, str]], Field(max_length=20)] = Field(
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
    def _filters_name_attributes(cls, subscriptions: list[dict[str, str]]) -> list[dict[str, str]]:
        for attributes in subscriptions:
            if not attributes:
                raise ValueError("a subscription without attributes would take every event")
            for name, value in attributes.items():
                if not _ATTRIBUTE_NAME.fullmatch(name):
                    raise ValueError(f"{name[:40]!r} is not the name of a CloudEvents attribute")
                if not value or len(value) > 1024:  # noqa: PLR2004
                    raise ValueError(f"{name} needs a value of 1 to 1024 characters")
        return subscriptions


class Phase(StrEnum):
    """Where a lambda is in its life."""

    PENDING = "Pending"
    BUILDING = "Building"
    DEPLOYING = "Deploying"
    READY = "Ready"
    FAILED = "Failed"
    DELETING = "Deleting"


class Condition(Model):
    """A Kubernetes condition."""

    type: Literal["SourceReady", "BuildReady", "ServiceReady", "SubscriptionsReady"]
    status: Literal["True", "False", "Unknown"]
    reason: str = ""
    message: str = ""
    last_transition_time: datetime


class BuildStatus(Model):
    """The newest build of a lambda."""

    id: str
    wish_id: str = Field(description="id of the event whose wish this build serves")
    job: str | None = None
    digest: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str | None = None
    message: str | None = None
    log: str | None = Field(None, description="the last lines; all of it is in storage at logUri")
    log_uri: str | None = None
    completed_by: str | None = Field(None, description="id of the event that settled this build")


class LambdaFunctionStatus(Model):
    """What is there, as the four functions saw it last."""

    # A newer control plane may have written more than this one knows.
    model_config = ConfigDict(extra="ignore")

    phase: Phase = Phase.PENDING
    observed_generation: int = 0
    conditions: list[Condition] = []
    build: BuildStatus | None = None
    image: str | None = None
    url: str | None = None
    revision: str | None = None


class LambdaFunction(Model):
    """One record, with the version that optimistic writes compare."""

    id: FunctionId
    spec: LambdaFunctionSpec
    status: LambdaFunctionStatus = LambdaFunctionStatus()
    wish: Wish
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    deleting: bool = False


class Wish(Model):
    """The order of wishes: by the event's time, and by its id where the times are equal."""

    time: datetime
    event_id: str

    def is_older_than(self, other: Wish) -> bool:
        """Whether `other` was wished after this."""
        return (self.time, self.event_id) < (other.time, other.event_id)


LambdaFunction.model_rebuild()
