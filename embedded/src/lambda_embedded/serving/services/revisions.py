"""Revision objects: the templates that a Service has had, and whether each started."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from lambda_embedded.serving.ownership import (
    CONFIGURATION_LABEL,
    GENERATION_LABEL,
    SERVICE_LABEL,
    owner_reference,
    owner_uid,
)
from lambda_embedded.serving.services.status import condition, ready_condition, revision_status
from lambda_embedded.serving.template import template_digest
from lambda_embedded.store.objects import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from lambda_embedded.store.objects import KubernetesObject, Objects

_TEMPLATE_ANNOTATION = "knative-lambda.dev/template-digest"
_UNRESOLVED = "EnvironmentUnresolved"
_NUMBER = re.compile(r"-(\d{5,})$")


class Revisions:
    """The revisions of all Services, durable."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def all(self) -> AsyncIterator[KubernetesObject]:
        """Every revision of every Service."""
        return self._objects.walk("Revision")

    def of_service(self, service: KubernetesObject) -> list[KubernetesObject]:
        """Return the revisions of this Service, by uid, oldest first."""
        metadata = service["metadata"]
        found = self._objects.list(
            "Revision", metadata["namespace"], labels={SERVICE_LABEL: metadata["name"]}
        )
        own = [item for item in found if owner_uid(item) == metadata["uid"]]
        return sorted(own, key=_number)

    def create(self, service: KubernetesObject) -> KubernetesObject:
        """Make the next revision from the Service's template."""
        metadata, template = service["metadata"], service["spec"]["template"]
        before = self.of_service(service)
        number = _number(before[-1]) + 1 if before else 1
        name = metadata["name"]
        labels = (template.get("metadata") or {}).get("labels") or {}
        annotations = (template.get("metadata") or {}).get("annotations") or {}
        revision = {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Revision",
            "metadata": {
                "name": f"{name}-{number:05d}",
                "namespace": metadata["namespace"],
                "labels": {
                    **labels,
                    SERVICE_LABEL: name,
                    CONFIGURATION_LABEL: name,
                    # `kn` parses it as a number, and rejects Revisions without one.
                    GENERATION_LABEL: str(number),
                },
                "annotations": {**annotations, _TEMPLATE_ANNOTATION: template_digest(template)},
                "ownerReferences": [owner_reference("Service", service)],
            },
            "spec": template.get("spec") or {},
        }
        return self._objects.create("Revision", revision)

    def set_ready(self, revision: KubernetesObject) -> None:
        """Note that the revision passed its probe."""
        self._set_status(revision, condition("True"))

    def set_failed(self, revision: KubernetesObject, message: str, *, unresolved: bool) -> None:
        """Note that the revision did not start, and why."""
        reason = _UNRESOLVED if unresolved else "Failed"
        self._set_status(revision, condition("False", reason, message))

    def set_starting(self, revision: KubernetesObject) -> None:
        """Note that the revision is tried again."""
        self._set_status(revision, condition("Unknown", "Starting"))

    def delete(self, revision: KubernetesObject) -> None:
        """Delete a revision; it is no error if it is gone."""
        metadata = revision["metadata"]
        with contextlib.suppress(NotFoundError):
            self._objects.delete("Revision", metadata["namespace"], metadata["name"])

    def _set_status(self, revision: KubernetesObject, ready: Mapping[str, str]) -> None:
        metadata = revision["metadata"]
        status = revision_status(revision, ready)
        with contextlib.suppress(NotFoundError):
            self._objects.update_status("Revision", metadata["namespace"], metadata["name"], status)


def is_made_from(revision: KubernetesObject, service: KubernetesObject) -> bool:
    """Return whether this revision has the Service's template."""
    digest: str = revision["metadata"]["annotations"].get(_TEMPLATE_ANNOTATION, "")
    return digest == template_digest(service["spec"]["template"])


def is_ready(revision: KubernetesObject) -> bool:
    """Return whether the revision ever passed its probe."""
    return bool(ready_condition(revision)["status"] == "True")


def failure_of(revision: KubernetesObject) -> str | None:
    """Return why the revision failed, or None."""
    condition = ready_condition(revision)
    return condition.get("message", "unknown") if condition["status"] == "False" else None


def is_unresolved(revision: KubernetesObject) -> bool:
    """Return whether it failed because a Secret or ConfigMap was missing."""
    return ready_condition(revision).get("reason") == _UNRESOLVED


def _number(revision: KubernetesObject) -> int:
    match = _NUMBER.search(revision["metadata"]["name"])
    return int(match[1]) if match else 0
