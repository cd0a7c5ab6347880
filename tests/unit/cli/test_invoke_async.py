from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kn_lambda.errors import ExitCode
from knative_lambda.adapters.kubernetes.client import CONFIG_MAPS, TRIGGERS
from knative_lambda.domain.errors import PlatformUnavailableError
from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests.trigger import target_trigger_name
from tests.unit.cli.helpers.fakes import status

TENANT_BROKER = "http://broker.test/default/default"
HELLO = FunctionId("default", "hello")


@pytest.fixture
def function(fake_platform):
    return fake_platform.put_record(status=status(phase="Ready"))


def sent(fake_platform):
    return [request for request in fake_platform.http.sent if request["method"] == "POST"]


def test_the_event_goes_to_the_tenants_broker_addressed_to_one_function(
    kn_lambda, fake_platform, function
):
    result = kn_lambda("invoke", "hello", "--async", "--type", "t", "-o", "json")
    (request,) = sent(fake_platform)
    assert request["url"] == TENANT_BROKER
    assert request["headers"]["ce-lambdatarget"] == "/default/hello"
    document = json.loads(result.stdout)
    assert document == {"id": request["headers"]["ce-id"], "broker": "default/default"}
    assert "for default/hello alone" in kn_lambda("invoke", "hello", "--async").stdout


def test_its_trigger_is_made_once_and_goes_with_the_function(kn_lambda, fake_platform, function):
    for _ in range(2):
        assert kn_lambda("invoke", "hello", "--async").exit_code == ExitCode.OK
    (trigger,) = fake_platform.api.applied
    assert trigger["metadata"]["ownerReferences"][0]["uid"] == function["metadata"]["uid"]
    assert len(sent(fake_platform)) == 2


@pytest.mark.parametrize("change", ["filters", "owner"])
def test_a_trigger_that_is_not_as_wanted_is_mended_first(
    kn_lambda, fake_platform, function, change
):
    kn_lambda("invoke", "hello", "--async")
    name = target_trigger_name(HELLO, broker="default")
    trigger = fake_platform.api.find(TRIGGERS, "default", name)
    if change == "filters":
        trigger = {**trigger, "spec": {**trigger["spec"], "filters": []}}
    else:
        trigger = {**trigger, "metadata": {**trigger["metadata"], "ownerReferences": []}}
    fake_platform.api.put(TRIGGERS, trigger)
    kn_lambda("invoke", "hello", "--async")
    assert len(fake_platform.api.applied) == 2


@pytest.mark.parametrize("becomes", ["False", "Unknown"])
def test_nothing_is_sent_before_the_trigger_is_ready(kn_lambda, fake_platform, function, becomes):
    fake_platform.api.applied_become = becomes
    result = kn_lambda("invoke", "hello", "--async", "--timeout", "0")
    assert result.exit_code == ExitCode.TIMED_OUT
    assert "nothing was sent: BrokerUnknown" in result.stderr
    assert sent(fake_platform) == []


def test_a_right_that_is_missing_is_named(kn_lambda, fake_platform, function, monkeypatch):
    def forbidden(*_):
        raise PlatformUnavailableError("default/triggers/hello: 403 forbidden")

    fake_platform.api.apply = forbidden
    result = kn_lambda("invoke", "hello", "--async")
    assert result.exit_code == ExitCode.FAILED
    assert "create and patch triggers in default" in result.stderr
    assert sent(fake_platform) == []


def test_the_broker_is_the_one_that_the_installation_gives_tenants(
    kn_lambda, fake_platform, function
):
    settings = fake_platform.api.get(CONFIG_MAPS, "knative-lambda", "knative-lambda-settings")
    settings["data"]["KN_LAMBDA_TENANT_BROKER"] = "events"
    result = kn_lambda("invoke", "hello", "--async")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "Broker default/events does not exist" in result.stderr
    assert fake_platform.api.applied == []


def test_what_has_no_url_is_not_called(kn_lambda, fake_platform):
    fake_platform.put_record(status={"phase": "Failed"})
    result = kn_lambda("invoke", "hello", "--async")
    assert result.exit_code == ExitCode.FAILED
    assert "has no URL; its phase is Failed" in result.stderr
    assert fake_platform.api.applied == []


def test_a_function_of_http_gets_an_event_too(kn_lambda, fake_platform):
    spec = {"runtime": "python3.11", "signature": "http"}
    fake_platform.put_record(spec=spec, status=status(phase="Ready"))
    result = kn_lambda("invoke", "hello", "--async", "--type", "t")
    assert result.exit_code == ExitCode.OK
    assert "a response that is neither empty nor a CloudEvent is a failure" in result.stderr
    wrong = kn_lambda("invoke", "hello", "--async", "--path", "/a")
    assert wrong.exit_code == ExitCode.USAGE
    assert "--path do not work with --async" in wrong.stderr
    assert len(sent(fake_platform)) == 1


def test_on_a_cluster_it_is_the_same(kn_lambda, fake_platform, function):
    fake_platform.installation = replace(fake_platform.installation, is_embedded=False)
    assert kn_lambda("invoke", "hello", "--async").exit_code == ExitCode.OK
    assert sent(fake_platform)[0]["headers"]["ce-lambdatarget"] == "/default/hello"
