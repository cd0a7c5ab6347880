"""Checks a configuration for what `kubectl apply` would reject on a cluster."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from lambda_embedded.api.admission.chain import Admission
from lambda_embedded.api.admission.validation import invalid_object, metadata_faults
from lambda_embedded.api.errors import ApiError
from lambda_embedded.api.kinds.served import kind_named
from lambda_embedded.configuration.kustomization import KustomizationError
from lambda_embedded.schemas.causes import Cause
from lambda_embedded.schemas.known import DEFINITION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_embedded.store.objects import KubernetesObject


def check_manifests(wanted: Iterable[KubernetesObject]) -> None:
    """`KustomizationError` names the first object that its kind does not allow, and its fields."""
    admission = Admission(DEFINITION)
    for item in wanted:
        try:
            _check(admission, copy.deepcopy(item))
        except ApiError as error:
            name = f"{item['kind']} {item['metadata']['name']}"
            raise KustomizationError(f"{name}: {error.message}") from error


def _check(admission: Admission, item: KubernetesObject) -> None:
    kind = kind_named(item.get("apiVersion", ""), item["kind"])
    if kind is None:
        return
    unknown = [Cause(field, "unknown field") for field in admission.unknown_fields(kind, item)]
    faults = [*unknown, *metadata_faults(kind, item), *admission.faults(kind, item, None)]
    if faults:
        raise invalid_object(kind, item["metadata"]["name"], faults)
    admission.review(kind, item, None)
