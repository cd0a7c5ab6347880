"""Against a cluster: Services are reached through its API, and the doctor checks more."""

from __future__ import annotations

import dataclasses
import json

import pytest

from kn_lambda.cluster.events import new_event, send_to_broker
from kn_lambda.cluster.service_address import ServiceAddress
from kn_lambda.errors import ExitCode
from kn_lambda.invoking.invocation import HttpRequest
from knative_lambda.adapters.kubernetes.client import BROKERS

INSIDE = "http://broker-ingress.knative-eventing.svc.cluster.local/knative-lambda/knative-lambda"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (INSIDE, "http:broker-ingress:80/proxy/knative-lambda/knative-lambda"),
        ("https://b.knative-eventing.svc/x", "https:b:443/proxy/x"),
        ("http://b.knative-eventing.svc.example.org:8080", "http:b:8080/proxy/"),
    ],
)
def test_the_address_of_a_service_becomes_a_path_of_the_api(url, path):
    found = ServiceAddress.parse(url)
    assert found.proxy_path == f"/api/v1/namespaces/knative-eventing/services/{path}"


_OTHER = ["http://127.0.0.1:8080/a/b", "http://svc/x", "ftp://a.b.svc/"]
# Whoever may write the status of a Broker chooses its address.
_HOSTILE = [
    "http://a.b.svc/../../../../../../../apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "http://a.b.svc/x/./y", "http://a%2f...b.svc/", "http://..b.svc/", "http://a:0@.b.svc/",
]  # fmt: skip


@pytest.mark.parametrize("url", [*_OTHER, *_HOSTILE])
def test_other_addresses_are_not_taken_for_services(url):
    assert ServiceAddress.parse(url) is None


def on_a_cluster(platform, broker=INSIDE):
    """The platform in memory as a cluster whose Broker is inside."""
    platform.api.find(BROKERS, "knative-lambda", "knative-lambda")["status"]["address"] = {
        "url": broker
    }
    platform.installation = dataclasses.replace(platform.installation, is_embedded=False)
    return platform.installation


def test_an_event_to_a_broker_inside_goes_through_the_api(fake_platform):
    installation = on_a_cluster(fake_platform)
    sent = []
    fake_platform.api.send_to_service = lambda address, **request: sent.append((address, request))

    send_to_broker(installation, installation.control_broker_url(), new_event("t", {"a": 1}))

    ((address, request),) = sent
    assert (address.namespace, address.name) == ("knative-eventing", "broker-ingress")
    assert request["headers"]["ce-type"] == "t"
    assert json.loads(request["body"]) == {"a": 1}
    assert fake_platform.http.sent == []


def test_a_request_through_an_ingress_keeps_the_name_of_the_function():
    call = HttpRequest(
        method="GET", url="http://hello.default.example.org/a?b=c", headers={"x": "y"}
    )

    through = call.through("http://10.1.2.3:8080/")

    assert through.url == "http://10.1.2.3:8080/a?b=c"
    assert through.headers == {"x": "y", "Host": "hello.default.example.org"}


def test_the_doctor_says_what_a_cluster_lacks(fake_platform, kn_lambda, tmp_path):
    folder = tmp_path.as_uri()
    on_a_cluster(fake_platform).settings().update(
        KN_LAMBDA_UPLOAD_URL=f"{folder}/", KN_LAMBDA_REGISTRY_URL=folder
    )
    fake_platform.api.serves = lambda group: not group.startswith("sources")
    fake_platform.api.may = lambda verb, resource, namespace, group="": resource == "services/proxy"

    result = kn_lambda("doctor", "-o", "json")

    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == ExitCode.FAILED
    assert checks["Knative Serving"]["verdict"] == "ok"
    assert checks["Knative sources"]["verdict"] == "failed"
    assert "lacks RoleBindings: knative-lambda-build-start" in checks["tenant default"]["found"]
    assert checks["permission to read"]["wayOut"]
    assert checks["permission to read Events"]["verdict"] == "warning"
    assert checks["permission to send"]["verdict"] == "ok"
    assert checks["processes of a Pod"]["found"] == "not checked: you cannot list nodes"
