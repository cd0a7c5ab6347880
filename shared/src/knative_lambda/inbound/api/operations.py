"""All operations of the API in one table: it routes requests, and describes itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from knative_lambda.domain.lambda_views import (
    BuildList,
    BuildPath,
    LambdaList,
    LambdaPath,
    LambdaView,
    ListQuery,
    LogQuery,
    NamespacePath,
    StoredUpload,
    UploadAddress,
    UploadPath,
    UploadRequest,
)
from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.read_lambdas import list_lambdas, read_lambda
from knative_lambda.use_cases.read_logs import read_logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.domain.lambda_function import Model
    from knative_lambda.ports import CallersCluster
    from knative_lambda.use_cases.read_logs import ReadBuilds
    from knative_lambda.use_cases.take_upload import TakeUpload

ROOT = "/v1/namespaces/{namespace}"


class Callers(Protocol):
    """Opens the cluster for a token."""

    def with_token(self, token: str) -> CallersCluster:
        """Return the cluster as its holder sees it; nothing is sent yet."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """What operations are made of."""

    callers: Callers
    builds: ReadBuilds
    uploads: TakeUpload


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request, validated."""

    services: Services
    cluster: CallersCluster
    path: Any
    query: Any = None
    body: Any = None

    @property
    def function(self) -> FunctionId:
        """The lambda that the path names."""
        return FunctionId(self.path.namespace, self.path.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """A method of a path. `run` may block; what takes content has none."""

    method: str
    path: str
    id: str
    summary: str
    path_model: type[NamespacePath]
    run: Callable[[Call], Model | str] | None = None
    answer: type[Model] | None = None
    """None: plain text."""
    status: int = 200
    query_model: type[Model] | None = None
    body_model: type[Model] | None = None
    problems: tuple[int, ...] = ()
    """Besides those that every operation has."""
    has_etag: bool = False


OPERATIONS = (
    Operation(
        method="GET",
        path=f"{ROOT}/lambdas",
        id="listLambdas",
        summary="A page of the lambdas of a namespace",
        path_model=NamespacePath,
        query_model=ListQuery,
        answer=LambdaList,
        problems=(410,),
        run=lambda call: list_lambdas(call.cluster, call.path.namespace, call.query),
    ),
    Operation(
        method="GET",
        path=f"{ROOT}/lambdas/{{name}}",
        id="readLambda",
        summary="One lambda",
        path_model=LambdaPath,
        answer=LambdaView,
        problems=(404,),
        has_etag=True,
        run=lambda call: read_lambda(call.cluster, call.function),
    ),
    Operation(
        method="GET",
        path=f"{ROOT}/lambdas/{{name}}/logs",
        id="readLogs",
        summary="The end of what a lambda's Pods wrote",
        path_model=LambdaPath,
        query_model=LogQuery,
        problems=(404,),
        run=lambda call: read_logs(call.cluster, call.function, call.query),
    ),
    Operation(
        method="GET",
        path=f"{ROOT}/lambdas/{{name}}/builds",
        id="listBuilds",
        summary="The builds of a lambda",
        path_model=LambdaPath,
        answer=BuildList,
        problems=(404,),
        run=lambda call: call.services.builds(call.cluster, call.function),
    ),
    Operation(
        method="GET",
        path=f"{ROOT}/lambdas/{{name}}/builds/{{build}}/log",
        id="readBuildLog",
        summary="The log of a build that has ended",
        path_model=BuildPath,
        problems=(404,),
        run=lambda call: call.services.builds.log(call.cluster, call.function, call.path.build),
    ),
    Operation(
        method="POST",
        path=f"{ROOT}/uploads",
        id="requestUpload",
        summary="Where to PUT the source of a lambda",
        path_model=NamespacePath,
        body_model=UploadRequest,
        answer=UploadAddress,
        status=201,
        problems=(408, 413, 415, 422),
        run=lambda call: call.services.uploads(
            call.cluster, call.path.namespace, cast("UploadRequest", call.body)
        ),
    ),
    Operation(
        method="PUT",
        path=f"{ROOT}/uploads/{{name}}/{{sha256}}",
        id="storeUpload",
        summary="The source itself, where storage takes nothing from strangers",
        path_model=UploadPath,
        answer=StoredUpload,
        status=201,
        problems=(408, 411, 413, 415, 422),
    ),
)
