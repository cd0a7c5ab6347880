"""Lists of objects that somebody made as large as an API server takes them."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest

from knative_lambda.adapters.kubernetes.callers import KubernetesCallers
from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS, KubernetesApi
from tests.helpers.http_server import serving_requests
from tests.helpers.kubeconfigs import write_kubeconfig

LARGE, SMALL = 1024 * 1024, 10


def api_with(sizes, limits):
    """Return a handler that serves objects of these sizes, in pages as an API server does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            limit, begin = int(query["limit"][0]), int(query.get("continue", ["0"])[0])
            limits.append(limit)
            end = begin + limit
            items = [
                {"metadata": {"name": f"l{number}"}, "spec": "x" * size}
                for number, size in enumerate(sizes[begin:end], begin)
            ]
            more = {"continue": str(end)} if end < len(sizes) else {}
            body = json.dumps({"items": items, "metadata": more}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def connect(tmp_path):
    def connected(base):
        write_kubeconfig(tmp_path / "kubeconfig", base, token="any")
        return KubernetesApi(kubeconfig=str(tmp_path / "kubeconfig"))

    return connected


def names(api):
    return [item["metadata"]["name"] for item in api.list(LAMBDA_FUNCTIONS, None)]


def test_no_more_large_objects_are_asked_for_at_once_than_there_is_memory_for(connect):
    """Cleanup has 256 MiB, and reads the records of all tenants."""
    limits: list[int] = []
    with serving_requests(api_with([LARGE] * 40, limits)) as base:
        assert len(names(connect(base))) == 40
    assert limits[:3] == [100, 25, 6]
    assert max(limits[3:]) <= 6


def test_a_caller_of_the_api_gets_no_page_that_fills_its_memory(connect, tmp_path):
    """Eight callers have 512 MiB, and small labels take thirty times their length."""
    limits: list[int] = []
    with serving_requests(api_with([LARGE // 10] * 50 + [LARGE], limits)) as base:
        connect(base)
        cluster = KubernetesCallers(kubeconfig=str(tmp_path / "kubeconfig")).with_token("any")
        page = cluster.lambdas("shop", limit=50, after=None, selector=None)
        last = cluster.lambdas("shop", limit=50, after="50", selector=None)
    assert len(json.dumps(page.items)) <= LARGE
    assert page.after == str(len(page.items))
    assert [len(item["spec"]) for item in last.items] == [LARGE]


def test_every_object_of_any_size_is_listed_once(connect):
    limits: list[int] = []
    sizes = [SMALL] * 120 + [LARGE] * 9 + [5 * LARGE] + [SMALL] * 250
    with serving_requests(api_with(sizes, limits)) as base:
        assert names(connect(base)) == [f"l{number}" for number in range(len(sizes))]
    assert limits[-1] == 100  # and many at once where they are small again
