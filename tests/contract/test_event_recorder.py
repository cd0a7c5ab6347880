"""What whoever records rejected requests promises."""

from __future__ import annotations

import subprocess

import pytest

from knative_lambda.adapters.kubernetes.errors import NamespaceNotFoundError
from knative_lambda.domain.errors import LimitExceededError, SourceNotFoundError
from knative_lambda.domain.events import Event
from knative_lambda.domain.names import FunctionId
from tests.contract.helpers.records import record

MISSING = SourceNotFoundError("nothing is stored at s3://a/b", field="source.uri")


def request(event_id="1", source="/test", **extensions):
    return Event(id=event_id, source=source, type="t", extensions=extensions)


def function(platform, name="hello"):
    return FunctionId(platform.namespace, name)


def test_a_rejection_is_told_with_its_reason_field_and_message(platform):
    platform.event_recorder.record_rejection(function(platform), request(), MISSING)
    assert platform.hands.told(function(platform)) == [
        ("SourceNotFound", "source.uri: nothing is stored at s3://a/b")
    ]


def test_an_event_that_is_delivered_again_is_told_once(platform):
    platform.event_recorder.record_rejection(function(platform), request(), MISSING)
    platform.event_recorder.record_rejection(
        function(platform), request(), LimitExceededError("larger by now")
    )
    ((reason, _),) = platform.hands.told(function(platform))
    assert reason == "SourceNotFound"


@pytest.mark.parametrize("other", [request("2"), request(source="/other")], ids=["id", "source"])
def test_every_event_is_told_for_itself(platform, other):
    platform.event_recorder.record_rejection(function(platform), request(), MISSING)
    platform.event_recorder.record_rejection(
        function(platform), other, LimitExceededError("too large")
    )
    assert {reason for reason, _ in platform.hands.told(function(platform))} == {
        "SourceNotFound",
        "LimitExceeded",
    }


def test_a_lambda_is_told_of_its_own_requests_only(platform):
    platform.event_recorder.record_rejection(function(platform, "other"), request(), MISSING)
    assert platform.hands.told(function(platform)) == []


@pytest.mark.parametrize("text", ["näme/§ \N{GRINNING FACE}", "a" * 2048, "%41=b,c;'\"<>"])
def test_any_id_of_an_event_and_any_message_can_be_told(platform, text):
    event = request(text, correlationid=text)
    platform.event_recorder.record_rejection(
        function(platform), event, SourceNotFoundError(f"{text}\n\t")
    )
    ((_, message),) = platform.hands.told(function(platform))
    assert message.startswith(text[:1024])


def test_kubectl_describe_shows_it_where_there_is_a_record(kubernetes, require_server):
    kubectl = require_server("kubectl", "apt-get install kubernetes-client")
    stored = kubernetes.records.create(record(kubernetes))
    kubernetes.event_recorder.record_rejection(stored.id, request(), MISSING)
    where = ["--kubeconfig", kubernetes.hands.api._kubeconfig, "-n", kubernetes.namespace]
    command = [kubectl, *where, "describe", "lambdafunction", stored.id.name]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "SourceNotFound" in shown
    assert "source.uri: nothing is stored at s3://a/b" in shown


def test_a_namespace_that_does_not_exist_cannot_be_told(kubernetes):
    with pytest.raises(NamespaceNotFoundError):
        kubernetes.event_recorder.record_rejection(
            FunctionId("no-such-namespace", "hello"), request(), MISSING
        )
