"""Events for one function alone: how they are addressed, and the Trigger that delivers them.

A function gets that Trigger with the first such event. Functions that get none cost nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.records import mapping, mappings
from kn_lambda.errors import CommandError, TimedOutError
from knative_lambda.adapters.kubernetes.client import TRIGGERS
from knative_lambda.domain.errors import PlatformUnavailableError
from knative_lambda.manifests import labels
from knative_lambda.manifests.trigger import target_of, target_trigger

if TYPE_CHECKING:
    from kn_lambda.cluster.installation import Installation
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.valid_event import CloudEvent

_POLL_SECONDS = 0.2


def addressed_to(function: FunctionId, event: CloudEvent) -> CloudEvent:
    """Return the event for this function alone; no subscription of another one gets it."""
    return event.extended({labels.TARGET_EXTENSION: target_of(function)})


def require_target_trigger(
    installation: Installation,
    function: FunctionId,
    uid: str,
    *,
    broker: str,
    wait_seconds: float,
) -> None:
    """Return once the Broker delivers such events to the function of the record `uid`.

    `TimedOutError` if the Trigger does not become ready; then nothing was sent.
    """
    wanted = target_trigger(function, uid, broker=broker)
    name = wanted["metadata"]["name"]
    found = installation.api.find(TRIGGERS, function.namespace, name)
    if found is None or not _is_as_wanted(found, wanted):
        found = _apply(installation, wanted)
    deadline = time.monotonic() + wait_seconds
    while not _is_ready(found):
        if time.monotonic() >= deadline:
            raise TimedOutError(
                f"the Trigger {function.namespace}/{name} of {function} is not ready, so nothing"
                f" was sent: {_reason(found)}",
                hint="Try again, or wait longer with --timeout. See its status:"
                f" kubectl describe trigger {name} -n {function.namespace}",
            )
        time.sleep(_POLL_SECONDS)
        found = installation.api.get(TRIGGERS, function.namespace, name)


def _apply(installation: Installation, trigger: KubernetesObject) -> KubernetesObject:
    namespace = trigger["metadata"]["namespace"]
    try:
        return installation.api.apply(TRIGGERS, trigger)
    except PlatformUnavailableError as error:
        raise CommandError(
            f"cannot create the Trigger that --async needs: {error.message}",
            hint=f"Ask for permission to create and patch triggers in {namespace}. Once the"
            " Trigger exists, permission to get it is enough.",
        ) from error


def _is_as_wanted(found: KubernetesObject, wanted: KubernetesObject) -> bool:
    spec = mapping(found.get("spec"))
    owners = {owner.get("uid") for owner in mappings(found["metadata"].get("ownerReferences"))}
    is_owned = wanted["metadata"]["ownerReferences"][0]["uid"] in owners
    return is_owned and all(spec.get(name) == value for name, value in wanted["spec"].items())


def _is_ready(trigger: KubernetesObject) -> bool:
    status = mapping(trigger.get("status"))
    is_observed = status.get("observedGeneration") == trigger["metadata"].get("generation")
    return is_observed and _ready_condition(trigger).get("status") == "True"


def _reason(trigger: KubernetesObject) -> str:
    ready = _ready_condition(trigger)
    said = [str(ready[name]) for name in ("reason", "message") if ready.get(name)]
    return ": ".join(said) or "no controller has looked at it yet"


def _ready_condition(trigger: KubernetesObject) -> dict[str, Any]:
    conditions = mappings(mapping(trigger.get("status")).get("conditions"))
    return next((each for each in conditions if each.get("type") == "Ready"), {})
