"""Knative Services and Triggers of lambdas."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from knative_lambda.adapters.kubernetes.client import PODS, REVISIONS, SERVICES, TRIGGERS
from knative_lambda.adapters.kubernetes.errors import NotFoundError
from knative_lambda.adapters.kubernetes.lambda_pods import state_with_pods
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import ConflictError, NotReadyError, RejectedByPlatformError
from knative_lambda.manifests import labels
from knative_lambda.manifests.service import lambda_service
from knative_lambda.manifests.trigger import subscriptions_trigger, target_trigger_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from knative_lambda.adapters.kubernetes.client import KubernetesApi, KubernetesObject
    from knative_lambda.domain.deployment import Deployment
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.storage import SourceSuffixes

_ATTEMPTS = 5
# knative.dev/eventing: pkg/reconciler/subscription/subscription.go, patchSubscription. Of two
# changes of a channel's subscribers that come together one is lost, and a subscriber that stays
# behind fails every event of the Broker.
_BETWEEN_CHANGES_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesLambdaServices:
    """Applied, never created: a second delivery of the same deployment changes nothing."""

    api: KubernetesApi
    tenant_broker: str = "default"
    source_suffixes: SourceSuffixes = ()
    """Of sources of one file, which name the handler."""
    pause: Callable[[float], None] = time.sleep

    def apply(self, deployment: Deployment) -> bool:
        """Make Service and Trigger what the deployment says, unless a newer one is there."""
        if not self._apply_service(deployment):
            return False
        self._apply_trigger(deployment)
        return True

    def watch(self, deployment: Deployment) -> None:
        """Label them, so that an ApiServerSource sends events about them."""
        if not self._apply_service(deployment, is_failed=True):
            return
        # One that a newer deployment has removed meanwhile must not return.
        there = {trigger["metadata"]["name"] for trigger in self._subscribed(deployment.function)}
        trigger = self._trigger_of(deployment)
        if trigger is not None and trigger["metadata"]["name"] in there:
            self.api.apply(TRIGGERS, labels.marked_failed(trigger))

    def _apply_service(self, deployment: Deployment, *, is_failed: bool = False) -> bool:
        service = lambda_service(deployment, self.source_suffixes)
        if is_failed:
            service = labels.marked_failed(service)
        # Knative writes a Service's status several times a second while it starts.
        for _ in range(_ATTEMPTS - 1):
            with suppress(ConflictError):
                return self._try_to_apply_service(deployment, service, is_failed=is_failed)
        return self._try_to_apply_service(deployment, service, is_failed=is_failed)

    def _try_to_apply_service(
        self, deployment: Deployment, service: KubernetesObject, *, is_failed: bool
    ) -> bool:
        function = deployment.function
        existing = self.api.find(SERVICES, function.namespace, function.name)
        if existing is None and is_failed:
            return False  # a deletion came first
        if existing is not None:
            annotations = existing["metadata"].get("annotations") or {}
            if labels.OWNER_UID not in annotations:
                raise RejectedByPlatformError(
                    f"there is a Service {function} that is not a lambda; choose another name",
                    field="subject",
                )
            if annotations[labels.OWNER_UID] != deployment.uid:
                raise NotReadyError(f"the Service {function} of an earlier lambda is being removed")
            if int(annotations.get(labels.GENERATION, 0)) > deployment.generation:
                return False
            # A write by anybody else between our read and our write is a ConflictError.
            version = {"resourceVersion": existing["metadata"]["resourceVersion"]}
            service = {**service, "metadata": {**service["metadata"], **version}}
        self.api.apply(SERVICES, service)
        return True

    def _apply_trigger(self, deployment: Deployment) -> None:
        function = deployment.function
        wanted = self._trigger_of(deployment)
        if wanted is not None:
            self.api.apply(TRIGGERS, wanted)
        kept = wanted and wanted["metadata"]["name"]
        others = [each for each in self._subscribed(function) if each["metadata"]["name"] != kept]
        # For another Broker, or from a version that made one of each subscription.
        self._delete_triggers(others, has_changed=wanted is not None)

    def _delete_triggers(
        self, triggers: list[KubernetesObject], *, has_changed: bool = False
    ) -> None:
        for trigger in triggers:
            if has_changed:
                self.pause(_BETWEEN_CHANGES_SECONDS)
            has_changed = True
            metadata = trigger["metadata"]
            self.api.delete(TRIGGERS, metadata["namespace"], metadata["name"])

    def _trigger_of(self, deployment: Deployment) -> KubernetesObject | None:
        return subscriptions_trigger(deployment, broker=self.tenant_broker)

    def state(self, deployment: Deployment) -> ServiceState:
        """Return what became of this deployment's revision."""
        function = deployment.function
        try:
            service = self.api.get(SERVICES, function.namespace, function.name)
        except NotFoundError as error:
            raise NotReadyError(f"the Service {function} is gone; looking again") from error
        if not _is_made_from(service, deployment):
            return ServiceState(ready=False)
        state = _read_state(service)
        if not state.ready:
            return self._read_pods(service, state)
        waits_for = self._read_triggers(function) if deployment.spec.subscriptions else None
        return waits_for or state

    def _read_triggers(self, function: FunctionId) -> ServiceState | None:
        """Return what keeps events from being delivered; None once all would be."""
        for trigger in self._subscribed(function):
            ready = _condition(trigger, "Ready")
            if not _is_observed(trigger) or ready.get("status") == "Unknown":
                return ServiceState(ready=False)
            if ready.get("status") != "True":
                metadata, said = trigger["metadata"], ready.get("message") or "it is not ready"
                return ServiceState(
                    ready=False,
                    failure_reason=ready.get("reason") or "TriggerNotReady",
                    failure_message=f"Trigger {metadata['name']}: {said}",
                    serves=True,
                    pending_since=datetime.fromisoformat(metadata["creationTimestamp"]),
                )
        return None

    def _read_pods(self, service: KubernetesObject, state: ServiceState) -> ServiceState:
        """Return what Knative reports, with what the newest Revision's Pods add to it."""
        revision = (service.get("status") or {}).get("latestCreatedRevisionName")
        if not revision or not _has_newest_revision(service):
            return state
        wanted = {"serving.knative.dev/revision": revision}
        found = self.api.list(PODS, service["metadata"]["namespace"], labels=wanted)
        return state_with_pods(
            state, [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
        )

    def delete(self, function: FunctionId) -> None:
        """Remove Service and Triggers; what is gone already is no error."""
        self._delete_triggers(list(self._triggers(function)))
        self.api.delete(SERVICES, function.namespace, function.name)

    def images_in_use(self) -> Iterator[str]:
        """Yield every image that a Service or a Revision of ours refers to."""
        ours = {labels.MANAGED_BY: "knative-lambda"}
        for service in self.api.list(SERVICES, None, labels=ours):
            yield from _images(service["spec"]["template"]["spec"])
        for revision in self.api.list(REVISIONS, None, labels=ours):
            yield from _images(revision["spec"])

    def _subscribed(self, function: FunctionId) -> list[KubernetesObject]:
        """Return the Triggers of subscriptions; who sends events to a lambda alone has another."""
        other = target_trigger_name(function, broker=self.tenant_broker)
        return [each for each in self._triggers(function) if each["metadata"]["name"] != other]

    def _triggers(self, function: FunctionId) -> Iterator[KubernetesObject]:
        return self.api.list(TRIGGERS, function.namespace, labels=labels.function_labels(function))


def _is_made_from(service: KubernetesObject, deployment: Deployment) -> bool:
    """Whether this deployment, or a newer one of the same record, made it."""
    annotations = service["metadata"].get("annotations") or {}
    generation = int(annotations.get(labels.GENERATION, 0))
    is_same = annotations.get(labels.OWNER_UID) == deployment.uid
    return is_same and generation >= deployment.generation


def _images(pod: dict[str, Any]) -> Iterator[str]:
    for container in pod.get("containers", ()):
        yield container["image"]


def _read_state(service: KubernetesObject) -> ServiceState:
    if not _is_observed(service):
        return ServiceState(ready=False)
    status, ready = service["status"], _condition(service, "Ready")
    if ready.get("status") == "True":
        return ServiceState(
            ready=True,
            url=status.get("url", ""),
            revision=status.get("latestReadyRevisionName", ""),
        )
    if ready.get("status") == "False" and not _is_about_to_change(service):
        return ServiceState(
            ready=False,
            failure_reason=ready.get("reason") or "ServiceNotReady",
            failure_message=ready.get("message") or "Knative gives no reason",
        )
    return ServiceState(ready=False)


def _is_about_to_change(service: KubernetesObject) -> bool:
    """Whether it is not ready because of a Revision before the newest one.

    A Route without a ready Revision reports that until there is one. So, where the first
    version of a lambda failed, it still does while the second one starts.
    """
    configurations = _condition(service, "ConfigurationsReady").get("status")
    if configurations == "True":
        return bool(_condition(service, "RoutesReady").get("reason") == "RevisionMissing")
    return bool(configurations == "Unknown")


def _is_observed(item: KubernetesObject) -> bool:
    """Whether Knative has observed its current generation."""
    status = item.get("status") or {}
    return bool(status.get("observedGeneration") == item["metadata"]["generation"])


def _has_newest_revision(service: KubernetesObject) -> bool:
    """Whether the newest Revision that is named belongs to the current generation.

    knative.dev/serving: pkg/apis/serving/v1/service_lifecycle.go, MarkConfigurationNotReconciled
    """
    configurations = _condition(service, "ConfigurationsReady")
    return _is_observed(service) and configurations.get("reason") != "OutOfDate"


def _condition(item: KubernetesObject, type_: str) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = (item.get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c["type"] == type_), {})
