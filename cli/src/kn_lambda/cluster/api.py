"""The Kubernetes API as the shared adapters speak it, and logs as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.adapters.kubernetes.client import KubernetesApi
from knative_lambda.adapters.kubernetes.errors import object_of, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class ClusterApi(KubernetesApi):
    """`KubernetesApi` for people: a log can be followed for as long as they like."""

    def follow(self, path: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """Yield a plain-text answer piece by piece, until the server ends it."""
        answer = self._transport.send(
            "GET",
            path,
            query=query,
            headers={"Accept": "*/*"},
            read_seconds=None,
            in_pieces=True,
        )
        try:
            with translated(object_of(path)):
                while piece := answer.read1():
                    yield piece
        finally:
            answer.release_conn()
