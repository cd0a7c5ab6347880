"""What Knative's admission webhooks check and default, as far as it matters here.

As on a cluster, they run after the kind's schema was enforced. The rules are those of
knative.dev/serving and knative.dev/eventing at the versions of `schemas/knative`.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from lambda_embedded.api.admission.webhooks import broker, service, trigger
from lambda_embedded.api.admission.webhooks.denial import denied
from lambda_embedded.schemas.causes import MOST_CAUSES
from lambda_embedded.schemas.structure import is_same

if TYPE_CHECKING:
    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.store.objects import KubernetesObject

_HOOKS = {"Service": service, "Broker": broker, "Trigger": trigger}


def complete(kind: Kind, item: KubernetesObject) -> None:
    """Set the defaults that are not in the schema of a kind."""
    if kind.kind == "Trigger" and isinstance(item.get("spec"), dict):
        trigger.complete(item)


def review(kind: Kind, item: KubernetesObject, old: KubernetesObject | None) -> None:
    """Raise `ApiError` 400 naming every field that Knative rejects; the status is not checked."""
    hook = _HOOKS.get(kind.kind)
    if hook is None or (old is not None and _is_untouched(item, old)):
        return
    faults = list(islice(chain(hook.faults(item), hook.changes(item, old)), MOST_CAUSES))
    if faults:
        raise denied(kind, item, faults)


def _is_untouched(item: KubernetesObject, old: KubernetesObject) -> bool:
    annotations = [each["metadata"].get("annotations") or {} for each in (item, old)]
    return is_same(item.get("spec"), old.get("spec")) and annotations[0] == annotations[1]
