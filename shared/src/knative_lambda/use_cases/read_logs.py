"""What lambdas and their builds wrote, for whoever may read logs in the namespace."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from knative_lambda.domain.build import log_key
from knative_lambda.domain.caller import Right
from knative_lambda.domain.errors import ForbiddenError, NothingThereError, SourceNotFoundError
from knative_lambda.domain.lambda_views import BuildList, BuildView, KeptLog
from knative_lambda.use_cases.read_lambdas import mapping, read_lambda, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from knative_lambda.domain.caller import PodLog
    from knative_lambda.domain.lambda_views import LogQuery
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.storage import StoredObject
    from knative_lambda.ports import CallersCluster, ObjectStorage

READ_LOGS: Final = Right(verb="get", resource="pods", subresource="log")
"""Guards the logs of builds: their Pods are in a namespace where no tenant may read."""

MAX_BYTES: Final = 1024 * 1024
_MOST_LOGS = 1000
_MOST_BUILDS = 100


def read_logs(cluster: CallersCluster, function: FunctionId, query: LogQuery) -> str:
    """Return the ends of the logs of its Pods; with several, each line begins with its Pod.

    Empty where no Pod runs.
    """
    logs = cluster.logs(
        function, lines=query.tail, timestamps=query.timestamps, max_bytes=MAX_BYTES
    )
    if not logs:
        read_lambda(cluster, function)
    return _in_one(logs)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadBuilds:
    """Builds, by the record and by the logs that are kept in storage."""

    storage: ObjectStorage
    storage_url: str

    def __call__(self, cluster: CallersCluster, function: FunctionId) -> BuildList:
        """Return at most a hundred builds, the newest first."""
        record = read_lambda(cluster, function)
        build = mapping(record.status.get("build"))
        folder = self._uri(function, "").removesuffix(".log")
        # Cleanup removes old ones; more than that only a lambda has that never rests.
        kept = islice(self.storage.list(folder, limit=_MOST_LOGS), _MOST_LOGS)
        stored = {_build_of(each): each for each in kept}
        newest = text(build.get("id"))
        older = sorted(stored.keys() - {newest}, key=lambda each: stored[each].modified_at)
        views = [BuildView(id=each, newest=False, log=_kept(stored[each])) for each in older[::-1]]
        if newest is not None:
            found = BuildView(
                id=newest,
                newest=True,
                phase=text(record.status.get("phase")),
                reason=text(build.get("reason")),
                message=text(build.get("message")),
                started_at=text(build.get("startedAt")),
                finished_at=text(build.get("finishedAt")),
                digest=text(build.get("digest")),
                log=_kept(stored[newest]) if newest in stored else None,
            )
            views.insert(0, found)
        return BuildList(items=views[:_MOST_BUILDS])

    def log(self, cluster: CallersCluster, function: FunctionId, build: str) -> str:
        """Return the log of a build that has ended; `NothingThereError` where none is kept.

        The namespace and the lambda's name are part of where it is looked for, so that the right
        to one namespace's logs opens no other's.
        """
        if not cluster.may(function.namespace, READ_LOGS):
            raise ForbiddenError(
                f"the log of a build needs the right to {READ_LOGS} in {function.namespace}"
            )
        target = io.BytesIO()
        try:
            self.storage.read(self._uri(function, build), target, max_bytes=MAX_BYTES)
        except SourceNotFoundError as error:
            raise NothingThereError(
                f"no log of build {build} of {function} is kept: it has not ended, installed no"
                " packages, or ended too long ago",
                field="build",
            ) from error
        return target.getvalue().decode(errors="replace")

    def _uri(self, function: FunctionId, build: str) -> str:
        return self.storage_url + log_key(function, build)


def _build_of(stored: StoredObject) -> str:
    return stored.uri.rpartition("/")[2].removesuffix(".log")


def _kept(stored: StoredObject) -> KeptLog:
    return KeptLog(size_bytes=stored.size_bytes, kept_at=stored.modified_at)


def _in_one(logs: Iterable[PodLog]) -> str:
    logs = list(logs)
    if len(logs) == 1:
        return logs[0].text
    return "".join(
        f"[{log.pod}] {line}\n" for log in logs for line in log.text.removesuffix("\n").split("\n")
    )
