"""What people ask the function `api`, and what it shows them: the query side of the records.

Records are shown as they are. Anybody may have written one, so nothing is read from it that must
be there.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from knative_lambda.domain.lambda_function import Model, Phase
from knative_lambda.domain.names import FUNCTION_NAME_MAX_LENGTH, NAME_MAX_LENGTH, NAME_PATTERN

_SHA256 = r"^[0-9a-f]{64}$"
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)
_MOST_LAMBDAS = 200
_MOST_LINES = 5000


def _number(value: object) -> object:
    """Read digits; whatever else is in a query stays text, which is no number."""
    is_number = isinstance(value, str) and _DIGITS.fullmatch(value) is not None
    return int(str(value)) if is_number else value


def _boolean(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Namespace = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=NAME_MAX_LENGTH)
]
LambdaName = Annotated[
    str, StringConstraints(pattern=NAME_PATTERN, max_length=FUNCTION_NAME_MAX_LENGTH)
]
Sha256 = Annotated[str, StringConstraints(pattern=_SHA256)]


class NamespacePath(Model):
    """A tenant."""

    namespace: Namespace


class LambdaPath(NamespacePath):
    """A lambda."""

    name: LambdaName


class BuildPath(LambdaPath):
    """A build of a lambda."""

    build: Sha256 = Field(description="id of the build")


class UploadPath(LambdaPath):
    """Content that a lambda's source may be."""

    sha256: Sha256 = Field(description="of the content")


class ListQuery(Model):
    """Which lambdas, and how many of them at once."""

    limit: Annotated[int, Field(ge=1, le=_MOST_LAMBDAS), BeforeValidator(_number)] = 50
    after: (
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/_=.-]+$", max_length=4096)] | None
    ) = Field(None, alias="continue", description="from the page before")
    label_selector: (
        Annotated[str, StringConstraints(pattern=r"^[ -~]+$", max_length=1024)] | None
    ) = Field(None, description="as kubectl takes it")
    phase: Annotated[Phase, Field(strict=False)] | None = None
    runtime: (
        Annotated[str, StringConstraints(pattern=r"^[a-z]+[0-9][0-9.]*$", max_length=32)] | None
    ) = None


class LogQuery(Model):
    """How much of a log."""

    tail: Annotated[int, Field(ge=1, le=_MOST_LINES), BeforeValidator(_number)] = Field(
        500, description="lines of each Pod, from the end"
    )
    timestamps: Annotated[bool, BeforeValidator(_boolean)] = Field(
        False, description="whether each line begins with its time"
    )


class LambdaSummary(Model):
    """A lambda in a list."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    created_at: str
    labels: dict[str, str]
    runtime: str | None = None
    phase: str | None = None
    ready: Literal["True", "False", "Unknown"] = Field(description="its condition Ready")
    message: str | None = Field(None, description="of that condition")
    url: str | None = None
    image: str | None = None


class LambdaList(Model):
    """A page of lambdas."""

    items: list[LambdaSummary]
    after: str | None = Field(
        None, alias="continue", description="of the next page; none on the last one"
    )


class LambdaView(Model):
    """A lambda with all that its record says."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    created_at: str
    deleting: bool
    labels: dict[str, str]
    spec: dict[str, Any] = Field(description="as in the LambdaFunction")
    status: dict[str, Any] = Field(description="as in the LambdaFunction")


class KeptLog(Model):
    """A log that is kept."""

    size_bytes: int
    kept_at: datetime


class BuildView(Model):
    """A build: the newest one as the record tells of it, older ones as far as a log is kept."""

    id: str
    newest: bool
    phase: str | None = Field(None, description="of the lambda; with the newest build only")
    reason: str | None = None
    message: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    digest: str | None = None
    log: KeptLog | None = None


class BuildList(Model):
    """The builds of a lambda, the newest first."""

    items: list[BuildView]


class UploadRequest(Model):
    """A source that somebody wants to store: a zip archive for one lambda."""

    name: LambdaName = Field(description="of the lambda, which need not exist yet")
    sha256: Sha256 = Field(description="of the archive")
    size: Annotated[int, Field(ge=1, le=2**53 - 1)] = Field(description="its bytes")


class UploadAddress(Model):
    """Where to send it, and how; nothing else is taken there."""

    url: str = Field(description="absolute, or relative to the address of this request")
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str]
    expires: datetime
    uri: str = Field(description="the source's `uri` once it is there")


class StoredUpload(Model):
    """A source that is stored."""

    uri: str
