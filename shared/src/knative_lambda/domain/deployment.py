"""A lambda as it is to be served, and what the platform reports about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from datetime import datetime

    from knative_lambda.domain.lambda_function import LambdaFunction, LambdaFunctionSpec
    from knative_lambda.domain.names import FunctionId


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """One request, built: what the Knative Service and the Triggers are made from."""

    function: FunctionId
    uid: str
    generation: int
    spec: LambdaFunctionSpec
    image: str

    @classmethod
    def of(cls, record: LambdaFunction, digest: str, *, image_prefix: str) -> Self:
        """Return what serves a record whose build made the image of that digest."""
        function = record.id
        built = f"{image_prefix}/{function.namespace}/{function.name}@{digest}"
        return cls(
            function=function,
            uid=record.uid,
            generation=record.generation,
            spec=record.spec,
            image=record.spec.source.image or built,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceState:
    """What a Knative Service reports about its newest deployment."""

    ready: bool
    url: str = ""
    revision: str = ""
    failure_reason: str = ""
    failure_message: str = ""
    serves: bool = False
    """Whether only its subscriptions failed: it serves requests."""
    pending_since: datetime | None = None
    """For a failure that may pass: since when a Pod has been starting."""

    @property
    def failed(self) -> bool:
        """Whether it is kept from becoming ready; see `pending_since`."""
        return not self.ready and bool(self.failure_reason)
