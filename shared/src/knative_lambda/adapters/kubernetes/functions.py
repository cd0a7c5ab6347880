"""LambdaFunction records as custom resources."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS
from knative_lambda.adapters.kubernetes.errors import AlreadyExistsError, NotFoundError
from knative_lambda.adapters.kubernetes.requests import read_request, request_annotations
from knative_lambda.domain.conditions import rejected_status
from knative_lambda.domain.errors import ConflictError, UnreadableRecordError
from knative_lambda.domain.lambda_function import (
    API_VERSION,
    KIND,
    STORED,
    LambdaFunction,
    LambdaFunctionSpec,
    LambdaFunctionStatus,
)
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.problems import place_of, words_of
from knative_lambda.domain.set_fields import read_set_fields, write_set_fields
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from knative_lambda.adapters.kubernetes.client import KubernetesApi, KubernetesObject


_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesLambdaFunctions:
    """Optimistic writes by resourceVersion; annotations hold the rest of a request."""

    api: KubernetesApi

    def get(self, function: FunctionId) -> LambdaFunction | None:
        """Return the newest state of one record."""
        item = self.api.find(LAMBDA_FUNCTIONS, function.namespace, function.name)
        return None if item is None else read_record(item)

    def create(self, record: LambdaFunction) -> LambdaFunction:
        """Write a new record; `ConflictError` when there is one."""
        try:
            return read_record(self.api.create(LAMBDA_FUNCTIONS, _with_request(record, {}, 1)))
        except AlreadyExistsError as error:
            raise ConflictError(error.message) from error

    def replace_request(self, record: LambdaFunction) -> LambdaFunction:
        """Write the spec together with the stamp of its request; the rest belongs to others."""
        item = self.api.find(LAMBDA_FUNCTIONS, record.id.namespace, record.id.name)
        if item is None or item["metadata"]["resourceVersion"] != record.resource_version:
            raise ConflictError(f"the record {record.id} has changed")
        is_changed = item.get("spec") != record.spec.to_json()
        item = _with_request(record, item, record.generation + is_changed)
        written = self._replace(item, subresource="")
        if written["metadata"]["generation"] != record.generation + is_changed:
            # What we wrote and the defaults of the API make what was there.
            item = _with_request(record, written, written["metadata"]["generation"])
            written = self._replace(item, subresource="")
        return read_record(written)

    def replace_status(self, record: LambdaFunction) -> LambdaFunction:
        """Write the status and nothing else."""
        item = {
            **_with_request(record, {}, record.generation),
            "status": record.status.to_json(),
        }
        return read_record(self._replace(item, subresource="status"))

    def refuse(self, function: FunctionId, now: datetime) -> None:
        """Say in its status why a record cannot be read; once for each state of it."""
        item = self.api.find(LAMBDA_FUNCTIONS, function.namespace, function.name)
        if item is None or "deletionTimestamp" in item["metadata"]:
            return
        try:
            read_record(item)
        except UnreadableRecordError as error:
            status = _refusal(item, error, now)
            if status == item.get("status"):
                return
            with suppress(ConflictError):  # another write, of which an event tells
                self._replace({**item, "status": status}, subresource="status")

    def remind(self, function: FunctionId, now: datetime) -> None:
        """Have an event sent about this record, by a change that means nothing else."""
        annotations = {labels.NOTIFIED_AT: now.isoformat()}
        self.api.annotate(LAMBDA_FUNCTIONS, function.namespace, function.name, annotations)

    def delete(self, record: LambdaFunction) -> None:
        """Remove this very record (by uid); one that is gone is removed already."""
        self.api.delete(
            LAMBDA_FUNCTIONS, record.id.namespace, record.id.name, uid=record.uid or None
        )

    def discard(self, function: FunctionId) -> None:
        """Remove a record that cannot be read, whatever it holds."""
        item = self.api.find(LAMBDA_FUNCTIONS, function.namespace, function.name)
        try:
            if item is not None:
                read_record(item)
        except UnreadableRecordError as error:
            _log.warning("removed: %s", error.message)
            uid = item["metadata"]["uid"] if item else None
            self.api.delete(LAMBDA_FUNCTIONS, function.namespace, function.name, uid=uid)

    def list(self) -> Iterator[LambdaFunction]:
        """Yield all records, page by page."""
        for item in self.api.list(LAMBDA_FUNCTIONS, None):
            try:
                yield read_record(item)
            except UnreadableRecordError as error:
                _log.warning("passed over: %s", error.message)

    def _replace(self, item: KubernetesObject, *, subresource: str) -> KubernetesObject:
        try:
            return self.api.replace(LAMBDA_FUNCTIONS, item, subresource=subresource)
        except NotFoundError as error:
            # Gone since we read it: the caller reads again and sees that.
            raise ConflictError(error.message) from error


def read_record(item: KubernetesObject) -> LambdaFunction:
    """Read a custom resource, whoever wrote it last.

    `UnreadableRecordError` where somebody wrote what cannot be a lambda.
    """
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    function = FunctionId(metadata["namespace"], metadata["name"])
    try:
        request = read_request(item)
        spec = LambdaFunctionSpec.model_validate(item.get("spec") or {}, context=STORED)
        status = LambdaFunctionStatus.model_validate(item.get("status") or {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = place_of(first)
        raise UnreadableRecordError(
            f"the LambdaFunction {function} cannot be read: {field}: {words_of(first)}; "
            "deploy it again, or delete it",
            field=field,
        ) from error
    return LambdaFunction(
        id=function,
        spec=spec,
        status=status,
        stamp=request.stamp,
        event_stamp=request.event_stamp,
        refresh=request.refresh,
        set_fields=read_set_fields(annotations.get(labels.SET_FIELDS) or ""),
        uid=metadata["uid"],
        generation=metadata["generation"],
        resource_version=metadata["resourceVersion"],
        deleting="deletionTimestamp" in metadata,
    )


def _with_request(
    record: LambdaFunction, item: KubernetesObject, generation: int
) -> KubernetesObject:
    """Return what is there with this request in it; labels and annotations of others stay."""
    metadata = dict(item.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(labels.SET_FIELDS, None)
    if record.set_fields:
        annotations[labels.SET_FIELDS] = write_set_fields(record.set_fields)
    metadata |= {
        "namespace": record.id.namespace,
        "name": record.id.name,
        "labels": {**(metadata.get("labels") or {}), **labels.function_labels(record.id)},
        "annotations": request_annotations(record.stamp, generation, annotations),
    }
    if record.uid:
        metadata["uid"] = record.uid
        metadata.setdefault("resourceVersion", record.resource_version)
    return {
        **item,
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": record.spec.to_json(),
    }


def _refusal(
    item: KubernetesObject, error: UnreadableRecordError, now: datetime
) -> KubernetesObject:
    """Return the status of a record that cannot be read; what serves is left as it is known."""
    said = item.get("status")
    said = said if isinstance(said, dict) else {}
    kept = ("image", "url", "revision")
    known = {key: said[key] for key in kept if isinstance(said.get(key), str)}
    try:
        before = LambdaFunctionStatus.model_validate(said)
    except ValidationError:
        before = LambdaFunctionStatus.model_validate(known)
    generation = item["metadata"]["generation"]
    return rejected_status(before, generation, None, error, now).to_json()
