"""Reads and writes of single objects, with the rules that kube-apiserver has for them."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.admission.validation import address, invalid_object, metadata_faults
from lambda_embedded.api.deletion import is_being_deleted, may_go, request_deletion
from lambda_embedded.api.errors import ApiError, bad_request
from lambda_embedded.api.patches.apply import ApplyConflictError, apply, apply_conflict
from lambda_embedded.api.patches.field_ownership import (
    Operation,
    Owner,
    after_update,
    fields_of,
    list_keys,
    ownable,
    read_owners,
    with_ownable,
    write_owners,
)
from lambda_embedded.api.paths import (
    Target,
    already_exists,
    conflict,
    not_found,
    unknown_fields,
)
from lambda_embedded.schemas.causes import MOST_CAUSES, invalid
from lambda_embedded.store.job_selector import keep_selector
from lambda_embedded.store.objects import AlreadyExistsError, ConflictError, NotFoundError
from lambda_embedded.store.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_embedded.api.admission.chain import Admission
    from lambda_embedded.api.admission.field_validation import FieldValidation
    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.store.objects import KubernetesObject, Objects

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_PREFIX_MAX = 63 - _SUFFIX_LENGTH


class Resources:
    """Objects as clients of the API may read and change them."""

    def __init__(self, objects: Objects, admission: Admission) -> None:
        self._objects = objects
        self._admission = admission

    def get(self, target: Target) -> KubernetesObject:
        """One object; `ApiError` 404 where there is none."""
        try:
            return self._objects.get(target.kind.kind, target.namespace, target.name)
        except NotFoundError as error:
            raise not_found(target) from error

    def find(self, target: Target) -> KubernetesObject | None:
        """One object, or None."""
        return self._objects.find(target.kind.kind, target.namespace, target.name)

    def create(
        self,
        target: Target,
        item: KubernetesObject,
        manager: str,
        fields: FieldValidation | None = None,
    ) -> KubernetesObject:
        """Store a new object under its name, or under a new one made from its generateName.

        Here as in all writes, fields that the kind does not have are reported to `fields`.
        """
        kind = target.kind
        address(kind, target.namespace, None, item)
        metadata = item["metadata"]
        if metadata.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        prefix = metadata.get("generateName")
        if not metadata.get("name") and isinstance(prefix, str) and prefix:
            suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(_SUFFIX_LENGTH))
            metadata["name"] = prefix[:_PREFIX_MAX] + suffix
        self._admission.read(kind, item, fields)
        return self._create(target, item, _owner(target, manager, "Update"))

    def replace(
        self,
        target: Target,
        item: KubernetesObject,
        manager: str,
        fields: FieldValidation | None = None,
    ) -> KubernetesObject:
        """Replace an object (or its status) that is at the version of `item`."""
        address(target.kind, target.namespace, target.name, item)
        live = self.get(target)
        version = item["metadata"].get("resourceVersion")
        if not version and target.kind.is_custom:
            cause = invalid("metadata.resourceVersion", "must be specified for an update")
            raise invalid_object(target.kind, target.name, [cause])
        return self._update(target, live, item, manager, fields)

    def patch(
        self,
        target: Target,
        change: Callable[[KubernetesObject], Any],
        manager: str,
        fields: FieldValidation | None = None,
    ) -> KubernetesObject:
        """Replace an object (or its status) by the result of `change`."""
        live = self.get(target)
        item = change(live)
        if not isinstance(item, dict):
            raise bad_request("the patched object must be an object")
        address(target.kind, target.namespace, target.name, item)
        return self._update(target, live, item, manager, fields)

    def apply(
        self, target: Target, intent: KubernetesObject, manager: str, *, force: bool
    ) -> tuple[KubernetesObject, bool]:
        """Apply the intent of `manager`; return the object, and whether it is new."""
        kind, subresource = target.kind, target.subresource
        intent = without_nulls(intent)
        address(kind, target.namespace, target.name, intent)
        if "managedFields" in intent["metadata"]:
            raise bad_request("metadata.managedFields must be nil")
        if unknown := self._admission.unknown_fields(kind, intent):
            raise unknown_fields(target, unknown)
        live = self._objects.find(kind.kind, target.namespace, target.name)
        if live is None and subresource:
            raise not_found(target)
        owner = _owner(target, manager, "Apply")
        if live is None:
            return self._create(target, intent, owner), True
        try:
            part, owners = apply(
                ownable(kind, live, subresource),
                ownable(kind, intent, subresource),
                owners=read_owners(live),
                writer=owner,
                force=force,
                keys=list_keys(kind),
            )
        except ApplyConflictError as error:
            raise apply_conflict(error) from error
        item = with_ownable(kind, live, subresource, part)
        _check_held(target, intent["metadata"], live)
        write_owners(item, owners)
        _set_defaults(kind, item)
        self._admission.read(kind, item)
        self._validate(target, item, live)
        return self._store(target, item), False

    def delete(self, target: Target, preconditions: Mapping[str, str]) -> KubernetesObject:
        """Delete an object that meets the preconditions, or mark it for its finalizers."""
        live = self.get(target)
        _check_held(target, preconditions, live)
        return request_deletion(self._objects, target.kind.kind, target.namespace, target.name)

    def _create(self, target: Target, item: KubernetesObject, owner: Owner) -> KubernetesObject:
        kind = target.kind
        self._require_namespace(target)
        if kind.has_status:
            item.pop("status", None)
        for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            item["metadata"].pop(key, None)
        owned = fields_of(ownable(kind, item, ""), list_keys(kind))
        # After an apply nobody owns the defaults; after a create the client does.
        self._admission.read(kind, item)
        if owner.operation == "Update":
            owned = fields_of(ownable(kind, item, ""), list_keys(kind))
        self._validate(target, item)
        write_owners(item, after_update((), owner, {}, owned))
        _set_defaults(kind, item)
        try:
            return self._objects.create(kind.kind, item)
        except AlreadyExistsError as error:
            raise already_exists(target, item["metadata"]["name"]) from error

    def _update(
        self,
        target: Target,
        live: KubernetesObject,
        item: KubernetesObject,
        manager: str,
        fields: FieldValidation | None,
    ) -> KubernetesObject:
        kind, subresource = target.kind, target.subresource
        _check_held(target, item["metadata"], live)
        self._admission.read(kind, item, fields, live)
        keys, part = list_keys(kind), ownable(kind, item, subresource)
        new = with_ownable(kind, live, subresource, part)
        _set_defaults(kind, new)
        if kind.kind == "Job":
            keep_selector(new, live)
        self._validate(target, new, live)
        owners = after_update(
            read_owners(live),
            _owner(target, manager, "Update"),
            fields_of(ownable(kind, live, subresource), keys),
            fields_of(part, keys),
        )
        write_owners(new, owners)
        return self._store(target, new)

    def _store(self, target: Target, item: KubernetesObject) -> KubernetesObject:
        kind = target.kind.kind
        try:
            stored = self._objects.update(kind, item)
        except ConflictError as error:
            raise conflict(target, str(error)) from error
        if may_go(kind, stored):
            self._objects.delete(kind, target.namespace, target.name)
        return stored

    def _validate(
        self, target: Target, item: KubernetesObject, old: KubernetesObject | None = None
    ) -> None:
        kind = target.kind
        everything = chain(
            metadata_faults(kind, item, old), self._admission.faults(kind, item, old)
        )
        faults = list(islice(everything, MOST_CAUSES))
        if faults:
            raise invalid_object(kind, item["metadata"].get("name"), faults)
        if not target.subresource:
            self._admission.review(kind, item, old)

    def _require_namespace(self, target: Target) -> None:
        if not target.kind.namespaced:
            return
        namespace = self._objects.find("Namespace", "", target.namespace)
        if namespace is None:
            raise ApiError(
                HTTPStatus.NOT_FOUND,
                f'namespaces "{target.namespace}" not found',
                details={"name": target.namespace, "kind": "namespaces"},
            )
        if is_being_deleted(namespace):
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                f"unable to create new content in namespace {target.namespace} because it is "
                "being terminated",
            )


def _owner(target: Target, manager: str, operation: Operation) -> Owner:
    return Owner(
        manager=manager,
        operation=operation,
        subresource=target.subresource,
        api_version=target.kind.api_version,
        time=timestamp(),
        fields=frozenset(),
    )


def without_nulls(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return a value without null fields, which mean unset for every kind served here."""
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    if isinstance(value, list):
        return [without_nulls(child) for child in value]
    return value


def _set_defaults(kind: Kind, item: KubernetesObject) -> None:
    """Set the defaults of kube-apiserver that nobody owns."""
    if kind.kind == "Secret" and not item.get("type"):
        item["type"] = "Opaque"


def _check_held(target: Target, held: Mapping[str, Any], live: KubernetesObject) -> None:
    for key in ("uid", "resourceVersion"):
        wanted, actual = held.get(key), live["metadata"][key]
        if wanted and wanted != actual:
            raise conflict(
                target,
                f"the object has been modified ({key} {wanted} in the request, {actual} stored); "
                "please apply your changes to the latest version and try again",
            )
