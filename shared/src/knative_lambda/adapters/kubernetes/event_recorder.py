"""Rejected requests as Events of the core API, which Kubernetes keeps for an hour."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from knative_lambda.adapters.kubernetes.client import EVENTS, LAMBDA_FUNCTIONS
from knative_lambda.adapters.kubernetes.errors import AlreadyExistsError
from knative_lambda.manifests.rejection_event import rejection_event

if TYPE_CHECKING:
    from knative_lambda.adapters.kubernetes.client import KubernetesApi
    from knative_lambda.domain.errors import KnativeLambdaError
    from knative_lambda.domain.events import Event
    from knative_lambda.domain.names import FunctionId


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesEventRecorder:
    """The Event is named after the request: AlreadyExists means that it was recorded before."""

    api: KubernetesApi

    def record_rejection(
        self, function: FunctionId, event: Event, error: KnativeLambdaError
    ) -> None:
        """Say why an event is rejected for good; once, however often it is delivered."""
        # Not as a record: one that cannot be read may be why the request is rejected.
        record = self.api.find(LAMBDA_FUNCTIONS, function.namespace, function.name)
        uid = None if record is None else record["metadata"]["uid"]
        with suppress(AlreadyExistsError):
            self.api.create(
                EVENTS, rejection_event(function, event, error, uid=uid, at=datetime.now(UTC))
            )
