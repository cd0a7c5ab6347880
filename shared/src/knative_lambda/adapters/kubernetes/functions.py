"""LambdaFunction records as custom resources."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS
from knative_lambda.adapters.kubernetes.errors import AlreadyExistsError, NotFoundError
from knative_lambda.domain.errors import ConflictError, UnreadableRecordError
from knative_lambda.domain.lambda_function import (
    API_VERSION,
    KIND,
    STORED,
    LambdaFunction,
    LambdaFunctionSpec,
    LambdaFunctionStatus,
    RequestStamp,
)
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.problems import place_of, words_of
from knative_lambda.domain.set_fields import read_set_fields, write_set_fields
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            return read_record(self.api.create(LAMBDA_FUNCTIONS, _write_record(record)))
        except AlreadyExistsError as error:
            raise ConflictError(error.message) from error

    def replace_request(self, record: LambdaFunction) -> LambdaFunction:
        """Write the spec together with the stamp of its request."""
        return self._replace(record, subresource="")

    def replace_status(self, record: LambdaFunction) -> LambdaFunction:
        """Write the status and nothing else."""
        return self._replace(record, subresource="status")

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

    def _replace(self, record: LambdaFunction, *, subresource: str) -> LambdaFunction:
        item = _write_record(record)
        try:
            written = self.api.replace(LAMBDA_FUNCTIONS, item, subresource=subresource)
        except NotFoundError as error:
            # Gone since we read it: the caller reads again and sees that.
            raise ConflictError(error.message) from error
        return read_record(written)


def read_record(item: KubernetesObject) -> LambdaFunction:
    """Read a custom resource; one made with kubectl is stamped with its creation.

    `UnreadableRecordError` where somebody wrote what cannot be a lambda.
    """
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    stamp = {
        "time": annotations.get(labels.REQUEST_TIME) or metadata["creationTimestamp"],
        "eventId": annotations.get(labels.REQUEST_ID) or metadata["uid"],
    }
    function = FunctionId(metadata["namespace"], metadata["name"])
    try:
        spec = LambdaFunctionSpec.model_validate(item.get("spec") or {}, context=STORED)
        status = LambdaFunctionStatus.model_validate(item.get("status") or {})
        read_stamp = RequestStamp.model_validate(stamp)
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
        stamp=read_stamp,
        set_fields=read_set_fields(annotations.get(labels.SET_FIELDS) or ""),
        uid=metadata["uid"],
        generation=metadata["generation"],
        resource_version=metadata["resourceVersion"],
        deleting="deletionTimestamp" in metadata,
    )


def _write_record(record: LambdaFunction) -> KubernetesObject:
    metadata: dict[str, Any] = {
        "namespace": record.id.namespace,
        "name": record.id.name,
        "labels": labels.function_labels(record.id),
        "annotations": {
            labels.REQUEST_ID: record.stamp.event_id,
            labels.REQUEST_TIME: record.stamp.time.isoformat(),
        },
    }
    if record.set_fields:
        metadata["annotations"][labels.SET_FIELDS] = write_set_fields(record.set_fields)
    if record.uid:
        metadata |= {"uid": record.uid, "resourceVersion": record.resource_version}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": record.spec.to_json(),
        "status": record.status.to_json(),
    }
