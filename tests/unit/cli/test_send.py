from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kn_lambda.cluster.http import Response
from kn_lambda.errors import ExitCode
from knative_lambda.adapters.kubernetes.client import TRIGGERS

TENANT_BROKER = "http://broker.test/default/default"
JOURNAL = "http://broker.test/-/events"
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}}


def sent(fake_platform):
    return [request for request in fake_platform.http.sent if request["method"] == "POST"]


@pytest.fixture
def matching(fake_platform):
    """`matching("hello")`: the Broker records every event as delivered to these functions."""

    def deliver_to(*functions):
        for function in functions:
            ref = {"ref": {"name": function}}
            metadata = {"namespace": "default", "name": f"{function}-trigger"}
            fake_platform.api.put(TRIGGERS, {"metadata": metadata, "spec": {"subscriber": ref}})
        triggers = [{"namespace": "default", "name": f"{name}-trigger"} for name in functions]

        def journal(**_):
            entries = [
                {
                    "namespace": "default",
                    "broker": "default",
                    "attributes": {
                        name.removeprefix("ce-"): value
                        for name, value in request["headers"].items()
                    },
                    "triggers": triggers,
                }
                for request in sent(fake_platform)
            ]
            return Response(
                status=200, headers={}, body=json.dumps({"events": entries[::-1]}).encode()
            )

        fake_platform.http.responses["GET", JOURNAL] = journal

    return deliver_to


def test_an_event_goes_to_the_tenants_broker_with_what_was_given(kn_lambda, fake_platform):
    result = kn_lambda(
        "send", "--type", "com.example.t", "--data", '{"a": 1}', "--id", "7", "--source", "/me",
        "--subject", "s", "--extension", "colour=blue", "--extension", "size=a=b",
    )  # fmt: skip
    assert result.exit_code == ExitCode.OK
    assert "accepted: event 7 of type com.example.t by the Broker default/default" in result.stdout
    (request,) = sent(fake_platform)
    assert request["url"] == TENANT_BROKER
    headers = request["headers"]
    assert [headers[f"ce-{name}"] for name in ("id", "source", "subject", "type")] == [
        "7", "/me", "s", "com.example.t",
    ]  # fmt: skip
    assert (headers["ce-colour"], headers["ce-size"]) == ("blue", "a=b")
    assert (headers["content-type"], request["body"]) == ("application/json", b'{"a": 1}')


def test_the_triggers_that_match_are_named(kn_lambda, matching):
    matching("hello", "other")
    shown = kn_lambda("send", "--type", "t").stdout
    assert "to hello (Trigger hello-trigger)" in shown
    assert "to other (Trigger other-trigger)" in shown
    document = json.loads(kn_lambda("send", "--type", "t", "-o", "json").stdout)
    assert document["triggers"][0] == {"name": "hello-trigger", "subscriber": "hello"}
    assert (document["source"], document["type"]) == ("/kn-lambda", "t")


def test_an_event_that_nobody_receives_says_so(kn_lambda, matching):
    matching()
    result = kn_lambda("send", "--type", "t")
    assert result.exit_code == ExitCode.OK
    assert "No Trigger matches" in result.stdout
    assert json.loads(kn_lambda("send", "--type", "t", "-o", "json").stdout)["triggers"] == []


def test_a_subscriber_that_anybody_wrote_cannot_control_the_terminal(on_terminal, matching):
    matching("x\x1b[2J\naccepted")
    shown = on_terminal("send", "--type", "t").stdout
    assert "\x1b[2J" not in shown
    assert r"to x\x1b[2J\naccepted (" in shown


def test_an_event_stays_accepted_when_its_triggers_cannot_be_read(kn_lambda, fake_platform):
    fake_platform.http.respond("GET", JOURNAL, 503)
    result = kn_lambda("send", "--type", "t", "-o", "json")
    assert result.exit_code == ExitCode.OK
    assert "triggers" not in json.loads(result.stdout)


def test_a_clusters_broker_does_not_say_who_receives_it(kn_lambda, fake_platform):
    fake_platform.installation = replace(fake_platform.installation, is_embedded=False)
    document = json.loads(kn_lambda("send", "--type", "t", "-o", "json").stdout)
    assert document.keys() == {"id", "source", "type", "broker"}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([EVENT, {**EVENT, "id": "2"}]),
        json.dumps(EVENT) + "\n\n" + json.dumps({**EVENT, "id": "2"}) + "\n",
    ],
    ids=["array", "one a line"],
)
@pytest.mark.parametrize("by", ["file", "stdin"])
def test_events_of_a_file_are_sent_in_their_order(kn_lambda, fake_platform, tmp_path, content, by):
    file = tmp_path / "events"
    file.write_text(content)
    path, stdin = (str(file), b"") if by == "file" else ("-", content.encode())
    result = kn_lambda("send", "--event", path, "--source", "/mine", "-o", "json", stdin=stdin)
    assert [document["id"] for document in json.loads(result.stdout)] == ["1", "2"]
    headers = [request["headers"] for request in sent(fake_platform)]
    assert [(each["ce-id"], each["ce-source"]) for each in headers] == [
        ("1", "/mine"),
        ("2", "/mine"),
    ]


def test_one_event_over_several_lines_is_one(kn_lambda, fake_platform):
    result = kn_lambda("send", "--event", "-", stdin=json.dumps(EVENT, indent=2).encode())
    assert result.exit_code == ExitCode.OK
    assert json.loads(sent(fake_platform)[0]["body"]) == {"a": 1}


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        ((), "", "needs the type of the event"),
        (("--type", ""), "", "--type is empty"),
        (("--type", "t", "--extension", "colour"), "", "NAME=VALUE"),
        (("--type", "t", "--extension", "Colour=1"), "", "lower-case letters and digits"),
        (("--type", "t", "--extension", "type=u"), "", "attribute of CloudEvents itself"),
        (("--type", "t", "--id", ""), "", "--id is empty"),
        (("--type", "t", "--source", "::"), "", "URI-reference"),
        (("--type", "t\x1b[2J"), "", "control characters"),
        (("--type", "t", "--data", "@nowhere"), "", "nowhere"),
        (("--event", "nowhere"), "", "nowhere"),
        (("--event", "-", "--data", "-"), "{}", "cannot both read from stdin"),
        (("--event", "-"), "", "not a valid CloudEvent"),
        (("--event", "-"), "[]", "contains no event"),
        (("--event", "-"), "[1]", "event 1 of stdin"),
        (("--event", "-"), json.dumps([EVENT, {}]), "event 2 of stdin"),
        (("--event", "-"), json.dumps(EVENT) + "\n{bad}\n", "event 2 of stdin"),
        (("--event", "-"), "[" * 10_000, "not a valid CloudEvent"),
        (("--event", "-", "--id", "3"), json.dumps([EVENT, EVENT]), "for one event"),
        (("--event", "-", "--data", "1"), json.dumps([EVENT, EVENT]), "for one event"),
    ],
)
def test_a_mistake_is_named_before_anything_is_sent(
    kn_lambda, fake_platform, arguments, stdin, says
):
    result = kn_lambda("send", *arguments, stdin=stdin.encode())
    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert says in result.stderr
    assert sent(fake_platform) == []


def test_a_broker_that_does_not_exist_is_named(kn_lambda, fake_platform):
    for arguments in (("--broker", "none"), ("-n", "team-a")):
        result = kn_lambda("send", "--type", "t", *arguments)
        assert result.exit_code == ExitCode.UNREACHABLE
        assert "does not exist" in result.stderr
    assert sent(fake_platform) == []


def test_what_was_sent_before_an_error_is_counted(kn_lambda, fake_platform):
    statuses = iter([202, 503])
    fake_platform.http.responses["POST", TENANT_BROKER] = lambda **_: Response(
        status=next(statuses), headers={}, body=b""
    )
    two = json.dumps([EVENT, EVENT]).encode()
    result = kn_lambda("send", "--event", "-", stdin=two)
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "The first 1 of 2 events were sent." in result.stderr
