from __future__ import annotations

import json
import re

import pytest
import yaml

from kn_lambda.errors import ExitCode
from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS, PODS
from knative_lambda.domain.names import FunctionId
from tests.unit.cli.helpers.fakes import FakePlatform, status


def test_list_shows_phase_url_and_age(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    fake_platform.put_record("new", status={})
    header, first, second = kn_lambda("list").stdout.splitlines()
    assert header.split() == ["NAME", "PHASE", "RUNTIME", "URL", "AGE"]
    assert first.split()[:4] == ["hello", "Ready", "python3.11", FakePlatform.url]
    assert second.split()[:3] == ["new", "Pending", "python3.11"]


def test_an_empty_list_is_no_error_and_empty_json(kn_lambda):
    result = kn_lambda("list")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert "kn-lambda init" in result.stderr
    assert json.loads(kn_lambda("list", "-o", "json").stdout)["items"] == []


def test_list_of_all_namespaces_names_them(kn_lambda, fake_platform):
    fake_platform.put_record(namespace="team-a")
    assert "team-a" in kn_lambda("list", "-A").stdout
    assert "REVISION" in kn_lambda("list", "-A", "-o", "wide").stdout


def test_describe_shows_a_failure_and_hides_no_reference(kn_lambda, fake_platform):
    secret = {"name": "TOKEN", "secretKeyRef": {"name": "tokens", "key": "a"}}
    build = {"id": "c" * 64, "reason": "BuildTimeout", "message": "too long", "log": "line\n"}
    fake_platform.put_record(
        spec={"runtime": "python3.11", "source": {"uri": "s3://b/k"}, "env": [secret]},
        status={"phase": "Failed", "build": build},
    )
    text = kn_lambda("describe", "hello").stdout
    for part in ("Failed", "s3://b/k", "BuildTimeout", "too long", "  line", "<Secret tokens"):
        assert part in text


def test_describe_tells_of_packages_and_burst_capacity(kn_lambda, fake_platform):
    packages = {"resolvedAt": "2020-01-01T00:00:00Z", "pinned": True}
    fake_platform.put_record(
        spec={
            "runtime": "python3.11",
            "source": {"uri": "s3://b/k"},
            "scale": {"burstCapacity": 0},
        },
        status={
            "phase": "Ready",
            "build": {"id": "c" * 64, "packagesKey": "d" * 64},
            "packages": packages,
        },
    )
    text = kn_lambda("describe", "hello").stdout
    assert re.search(r"Scale: .* instances, burst capacity 0\n", text)
    assert re.search(r"Packages: +installed \w+ ago, named by hashes\n", text)
    assert re.search(r"Job: +none \(the packages of before are used\)\n", text)


@pytest.mark.parametrize(
    ("source", "is_told"),
    [
        ({"uri": "s3://b/code.zip"}, True),
        ({"uri": "s3://b/prefix/"}, True),
        ({"uri": "git+https://host/code@main#a"}, True),
        ({"uri": "s3://b/code.zip", "sha256": "a" * 64}, False),
        ({"uri": f"s3://b/default/hello/{'a' * 64}.zip"}, False),
        ({"uri": f"git+https://host/code@{'a' * 40}#a"}, False),
        ({"image": f"registry/hello@sha256:{'a' * 64}"}, False),
    ],
)
def test_describe_tells_where_other_content_would_not_be_noticed(
    kn_lambda, fake_platform, source, is_told
):
    fake_platform.put_record(spec={"runtime": "python3.11", "source": source})
    shown = kn_lambda("describe", "hello").stdout
    assert ("(other content there is not noticed)" in shown) is is_told


def test_describe_of_a_function_without_packages_tells_why_it_had_no_job(kn_lambda, fake_platform):
    build = {
        "id": "c" * 64,
        "startedAt": "2026-11-30T22:02:10.896703Z",
        "finishedAt": "2026-11-30T22:02:11Z",
    }
    fake_platform.put_record(status={"phase": "Ready", "build": build})
    text = kn_lambda("describe", "hello").stdout
    assert re.search(r"Job: +none \(nothing was installed\)\n", text)
    assert re.search(r"Started: +2026-11-30T22:02:10Z\n", text)


@pytest.mark.parametrize(("output", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_describe_prints_the_object_itself(kn_lambda, fake_platform, output, load):
    item = fake_platform.put_record(status=status(phase="Ready"))
    assert load(kn_lambda("describe", "hello", "-o", output).stdout) == item


@pytest.mark.parametrize("command", [("describe", "hello"), ("list",)])
def test_documents_leave_out_which_client_wrote_which_field(kn_lambda, fake_platform, command):
    item = fake_platform.put_record(status=status(phase="Ready"))
    item["metadata"]["managedFields"] = [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]
    fake_platform.api.put(LAMBDA_FUNCTIONS, item)
    shown = kn_lambda(*command, "-o", "yaml")
    assert shown.exit_code == ExitCode.OK
    assert "name: hello" in shown.stdout
    assert "managedFields" not in shown.stdout


@pytest.mark.parametrize("command", ["describe", "invoke", "logs"])
def test_an_unknown_function_is_not_found(kn_lambda, command):
    result = kn_lambda(command, "nothing")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "function default/nothing not found" in result.stderr
    assert "kn-lambda list" in result.stderr


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a": ' * 100_000, b"[NaN]"])
def test_a_response_that_is_json_in_name_only_is_printed_as_it_is(
    kn_lambda, fake_platform, body, output
):
    fake_platform.put_record(status=status(phase="Ready"))
    respond = fake_platform.http.respond
    respond("POST", FakePlatform.url, 200, body, content_type="application/json")
    result = kn_lambda("invoke", "hello", "-o", output)
    assert result.exit_code == ExitCode.OK
    assert body.decode() in (
        result.stdout if output == "text" else json.loads(result.stdout)["body"]
    )
    respond("POST", FakePlatform.url, 500, body, content_type="application/json")
    assert "returned 500" in kn_lambda("invoke", "hello").stderr


def test_half_a_surrogate_pair_does_not_end_the_output(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    body = rb'{"a": "\ud800 \u00e9"}'
    fake_platform.http.respond("POST", FakePlatform.url, 200, body, content_type="application/json")
    for output in ("text", "json"):
        assert r"\ud800 \u00e9" in kn_lambda("invoke", "hello", "-o", output).stdout


def test_invoke_sends_a_binary_event_and_prints_the_data_of_the_reply(kn_lambda, fake_platform):
    fake_platform.put_record(
        spec={"runtime": "python3.11", "subscriptions": [{"type": "com.example.greeting"}]},
        status=status(phase="Ready"),
    )
    fake_platform.http.respond(
        "POST", FakePlatform.url, 200, {"message": "é"}, content_type="application/json",
        ce_specversion="1.0", ce_id="r1", ce_source="/s", ce_type="t.reply",
    )  # fmt: skip
    result = kn_lambda("invoke", "hello", "--data", '{"name": "Ada"}')
    assert json.loads(result.stdout) == {"message": "é"}
    (request,) = fake_platform.http.sent
    assert request["headers"]["ce-type"] == "com.example.greeting"
    assert request["headers"]["content-type"] == "application/json"
    assert request["body"] == b'{"name": "Ada"}'
    whole = json.loads(kn_lambda("invoke", "hello", "-d", "-", "-o", "json", stdin=b"x").stdout)
    assert (whole["type"], whole["data"]) == ("t.reply", {"message": "é"})
    assert fake_platform.http.sent[-1]["headers"]["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("data", "says_so"), [("{bad", True), ("[1,", True), ('{"a": 1}', False), ("hello", False)]
)
def test_data_that_looks_like_json_and_is_none_is_sent_as_text_and_says_so(
    kn_lambda, fake_platform, data, says_so
):
    fake_platform.put_record(status=status(phase="Ready"))
    fake_platform.http.respond("POST", FakePlatform.url, 204)
    result = kn_lambda("invoke", "hello", "--data", data)
    assert ("is not valid JSON, so it is sent as text" in result.stderr) == says_so
    assert fake_platform.http.sent[-1]["body"] == data.encode()


def test_no_reply_is_a_success_that_prints_nothing(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    fake_platform.http.respond("POST", FakePlatform.url, 204)
    result = kn_lambda("invoke", "hello")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")


def test_a_function_that_fails_is_reported_with_its_own_reason(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    body = {"reason": "HandlerFailed", "message": "see its log"}
    fake_platform.http.respond("POST", FakePlatform.url, 500, body)
    result = kn_lambda("invoke", "hello")
    assert (result.exit_code, result.stdout) == (ExitCode.FAILED, "")
    assert "500: HandlerFailed: see its log" in result.stderr
    assert "kn-lambda logs hello" in result.stderr


def test_an_event_file_is_sent_as_it_is(kn_lambda, fake_platform, tmp_path):
    fake_platform.put_record(status=status(phase="Ready"))
    fake_platform.http.respond("POST", FakePlatform.url, 204)
    event = {"specversion": "1.0", "id": "é 1", "source": "/s", "type": "t", "data": {"a": 1}}
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    assert kn_lambda("invoke", "hello", "--event", str(file)).exit_code == ExitCode.OK
    (request,) = fake_platform.http.sent
    assert request["headers"]["ce-id"] == "%C3%A9%201"
    assert json.loads(request["body"]) == {"a": 1}
    file.write_text("{}")
    wrong = kn_lambda("invoke", "hello", "--event", str(file))
    assert wrong.exit_code == ExitCode.USAGE
    assert "specversion" in wrong.stderr


def test_a_function_whose_code_made_it_one_of_http_takes_a_path(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    fake_platform.http.respond("GET", FakePlatform.url + "/teapot", 200, b"short and stout")
    assert kn_lambda("invoke", "hello", "--path", "/teapot").stdout == "short and stout"
    assert fake_platform.http.sent[-1]["url"].endswith("/teapot")


def test_an_http_function_takes_method_and_path(kn_lambda, fake_platform):
    spec = {"runtime": "python3.11", "signature": "http"}
    fake_platform.put_record(spec=spec, status=status(phase="Ready"))
    fake_platform.http.respond("PUT", FakePlatform.url + "/a", 201, b"made", content_type="text/x")
    result = kn_lambda("invoke", "hello", "--method", "put", "--path", "/a?b=c", "-d", "1")
    assert result.stdout == "made"
    assert fake_platform.http.sent[-1]["url"].endswith("/a?b=c")
    assert kn_lambda("invoke", "hello", "--type", "t").exit_code == ExitCode.USAGE


def test_what_verbose_tells_of_a_request_holds_no_secret_of_its_address(kn_lambda, fake_platform):
    spec = {"runtime": "python3.11", "signature": "http"}
    fake_platform.put_record(spec=spec, status=status(phase="Ready"))
    url = "http://ada:hunter2@ingress.test"
    fake_platform.http.respond("GET", f"{url}/default/hello/a", 204)
    result = kn_lambda("invoke", "hello", "-v", "--ingress", url, "--path", "/a?token=hunter3")
    assert "GET http://ingress.test/default/hello/a" in result.stderr
    assert "hunter" not in result.output


def test_delete_waits_until_the_record_is_gone(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    key = (LAMBDA_FUNCTIONS.plural, "default", "hello")
    fake_platform.on_request(lambda *_: fake_platform.api.objects.pop(key))
    result = kn_lambda("delete", "hello")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "default/hello is deleted\n")
    (event,) = fake_platform.requests()
    assert (event["ce-type"], event["data"]) == ("dev.knative-lambda.delete.v1", {})


def test_deleting_what_is_not_there_succeeds(kn_lambda):
    result = kn_lambda("delete", "nothing", "-o", "json")
    assert result.exit_code == ExitCode.OK
    assert json.loads(result.stdout)["outcome"] == "absent"


def test_delete_gives_up_waiting_with_its_own_exit_code(kn_lambda, fake_platform):
    fake_platform.put_record()
    assert kn_lambda("delete", "hello", "--timeout", "1ms").exit_code == ExitCode.TIMED_OUT


def _pod(name, phase, created):
    labels = {"serving.knative.dev/service": "hello"}
    metadata = {"namespace": "default", "name": name, "labels": labels, "uid": name}
    return {"metadata": {**metadata, "creationTimestamp": created}, "status": {"phase": phase}}


def test_logs_are_those_of_the_newest_pod_when_none_runs(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    for name, created in (("new", "2026-01-02T00:00:00Z"), ("old", "2026-01-01T00:00:00Z")):
        fake_platform.api.put(PODS, _pod(name, "Succeeded", created))
        path = PODS.path("default", name, "log")
        fake_platform.api.logs[f"{path}?user-container"] = f"of {name}\n"
    assert kn_lambda("logs", "hello").stdout == "of new\n"


def test_logs_have_a_new_pod_that_failed_beside_the_one_that_serves(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Failed"))
    pods = (("serving", "Running", "01"), ("broken", "Failed", "02"))
    for name, phase, day in pods:
        fake_platform.api.put(PODS, _pod(name, phase, f"2026-01-{day}T00:00:00Z"))
        path = PODS.path("default", name, "log")
        fake_platform.api.logs[f"{path}?user-container"] = f"of {name}\n"
    assert kn_lambda("logs", "hello").stdout == "[serving] of serving\n[broken] of broken\n"


def test_an_empty_log_is_named_as_one(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    fake_platform.api.put(PODS, _pod("silent", "Running", "2026-01-01T00:00:00Z"))
    fake_platform.api.logs[f"{PODS.path('default', 'silent', 'log')}?user-container"] = ""
    result = kn_lambda("logs", "hello")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert result.stderr == "The log of default/hello is empty.\n"


def test_logs_are_json_one_object_a_line_when_asked_for(kn_lambda, fake_platform):
    build = {"id": "c" * 64, "job": "gone", "log": 'one "é"\ntwo\n'}
    fake_platform.put_record(status={"phase": "Failed", "build": build})
    fake_platform.api.put(PODS, _pod("new", "Succeeded", "2026-01-02T00:00:00Z"))
    path = PODS.path("default", "new", "log")
    fake_platform.api.logs[f"{path}?user-container"] = "called\n"
    lines = kn_lambda("logs", "hello", "--build", "-o", "json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [{"line": 'one "é"'}, {"line": "two"}]
    assert json.loads(kn_lambda("logs", "hello", "-o", "json").stdout) == {"line": "called"}


def test_a_function_that_never_ran_has_no_log_and_that_is_no_error(kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    result = kn_lambda("logs", "hello")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert "has no Pods" in result.stderr


def test_the_log_of_a_build_outlives_its_job(kn_lambda, fake_platform):
    build = {"id": "c" * 64, "job": "gone", "log": "one\ntwo\n"}
    fake_platform.put_record(status={"phase": "Failed", "build": build})
    assert kn_lambda("logs", "hello", "--build").stdout == "one\ntwo\n"
    assert kn_lambda("logs", "hello", "--build", "--tail", "1").stdout == "two\n"
    assert kn_lambda("logs", "hello", "--build", "--tail", "0").stdout == ""


def _journal_entry(subject, trigger, state="delivered", attempts=1):
    delivery = {
        "namespace": "default", "name": trigger, "state": state, "attempts": attempts,
        "status": 200, "error": None,
    }  # fmt: skip
    return {
        "attributes": {"id": subject, "type": "t", "subject": subject},
        "acceptedAt": "2026-01-15T09:30:00+00:00",
        "triggers": [delivery],
    }


def test_events_show_each_delivery_newest_last(kn_lambda, fake_platform):
    entries = [_journal_entry("b", "two", "pending", 3), _journal_entry("a", "one")]
    fake_platform.http.respond("GET", "http://broker.test/-/events", 200, {"events": entries})
    header, first, second = kn_lambda("events").stdout.splitlines()
    assert header.split() == ["TIME", "TYPE", "SUBJECT", "TRIGGER", "STATE", "STATUS"]
    assert first.split()[3:] == ["a", "one", "delivered", "200"]
    assert "pending (3 attempts)" in second
    assert json.loads(kn_lambda("events", "-o", "json").stdout) == entries


def test_events_of_a_function_are_those_about_it(kn_lambda, fake_platform):
    entries = [_journal_entry("default/other", "x"), _journal_entry("default/hello", "x")]
    fake_platform.http.respond("GET", "http://broker.test/-/events", 200, {"events": entries})
    (found,) = json.loads(kn_lambda("events", "hello", "-o", "json").stdout)
    assert found["attributes"]["subject"] == "default/hello"


def test_version_is_json_when_asked_for(kn_lambda):
    assert json.loads(kn_lambda("version", "-o", "json").stdout)["version"]


BROKEN = {
    "no spec": {"spec": None},
    "a spec that is a list": {"spec": [1]},
    "a runtime that is a number": {"spec": {"runtime": 5}},
    "a source that is text": {"spec": {"source": "s3://b/k"}},
    "files that are a list": {"spec": {"source": {"inline": ["main.py"]}}},
    "a scale that is text": {"spec": {"scale": "many", "timeoutSeconds": {}}},
    "variables that are text": {"spec": {"env": ["A=1"], "subscriptions": ["a"]}},
    "variables without anything": {"spec": {"env": [{}], "subscriptions": [{}]}},
    "a reference that is text": {"spec": {"env": [{"name": "A", "secretKeyRef": "a"}]}},
    "a status that is text": {"status": "Ready"},
    "a phase that is an object": {"status": {"phase": {}, "url": [], "build": "b"}},
    "a build of numbers": {"status": {"phase": "Failed", "build": {"id": 5, "log": 5}}},
    "conditions that are text": {"status": {"conditions": "good"}},
    "conditions without anything": {"status": {"conditions": [{}, {"lastTransitionTime": "x"}]}},
    "a time without a zone": {"status": {"conditions": [{"lastTransitionTime": "2026-01-01"}]}},
}


@pytest.fixture(params=BROKEN)
def broken(request, fake_platform):
    """A record that no lambda can be, beside one that is as it should be."""
    fake_platform.put_record("healthy")
    item = fake_platform.put_record("broken") | BROKEN[request.param]
    fake_platform.api.put(LAMBDA_FUNCTIONS, {k: v for k, v in item.items() if v is not None})


@pytest.mark.parametrize("output", ["text", "wide", "name", "json", "yaml"])
@pytest.mark.usefixtures("broken")
def test_a_broken_record_hides_no_other_one(kn_lambda, output):
    result = kn_lambda("list", "-o", output)
    assert result.exit_code == ExitCode.OK, result.stderr
    assert "healthy" in result.stdout
    assert "broken" in result.stdout


@pytest.mark.usefixtures("broken")
def test_describe_says_what_is_wrong_with_a_broken_record(kn_lambda):
    result = kn_lambda("describe", "broken")
    assert result.exit_code == ExitCode.OK, result.stderr
    assert "cannot be read" in result.stdout
    assert "delete it" in result.stdout


@pytest.mark.usefixtures("broken")
def test_a_broken_record_can_be_deleted(kn_lambda, fake_platform):
    assert kn_lambda("delete", "broken", "--no-wait").exit_code == ExitCode.OK
    (event,) = fake_platform.requests()
    assert event["ce-subject"] == "default/broken"


def test_a_healthy_record_has_no_problem(kn_lambda, fake_platform):
    fake_platform.put_record()
    assert "Problem" not in kn_lambda("describe", "hello").stdout


@pytest.mark.parametrize("name", ["dotted.name", "9lives", "a" * 46])
def test_a_record_under_a_name_that_no_function_can_have_is_deleted(kn_lambda, fake_platform, name):
    fake_platform.put_record(name)
    result = kn_lambda("delete", name)
    assert result.exit_code == ExitCode.OK, result.stderr
    assert fake_platform.installation.find_record(FunctionId("default", name)) is None
    assert not fake_platform.requests()


@pytest.mark.parametrize("name", ["dotted.name", "9lives", "../secrets/a", "a/b", "Ä"])
def test_a_name_that_no_function_can_have_and_no_record_has_is_wrong_usage(kn_lambda, name):
    assert kn_lambda("delete", name).exit_code == ExitCode.USAGE
