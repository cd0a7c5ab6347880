"""The Kubernetes API as the shared adapters speak it, and logs as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.adapters.kubernetes.client import KubernetesApi
from knative_lambda.adapters.kubernetes.errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CONNECT_SECONDS = 3


class ClusterApi(KubernetesApi):
    """`KubernetesApi` for people: a log can be followed for as long as they like."""

    def follow(self, path: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """Yield a plain-text answer piece by piece, until the server ends it."""
        from urllib.parse import urlencode  # noqa: PLC0415 # with the client, when needed

        with translated(path.partition("namespaces/")[2]):
            response = self._client.call_api(
                f"{path}?{urlencode(query)}",
                "GET",
                header_params={"Accept": "*/*"},
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(_CONNECT_SECONDS, None),
            )
            try:
                while piece := response.read1():
                    yield piece
            finally:
                response.release_conn()
