from __future__ import annotations

import json

import pytest

from kn_lambda.errors import ExitCode
from knative_lambda.domain.errors import SourceNotFoundError
from tests.unit.cli.helpers.fakes import SET_FIELDS, WISH_ID, WISH_TIME, FakePlatform, status

_SECRET = "hunter2"
_URI = {"uri": "s3://sources/default/hello.zip"}


@pytest.fixture
def hello(fake_platform):
    """A function that runs, with one variable of its function.yaml and one of an option."""
    fake_platform.finish("Ready")
    variables = [{"name": "OWN", "value": "1"}, {"name": "SET", "value": "2"}]
    return fake_platform.put_record(
        spec={"runtime": "python3.11", "source": _URI, "env": variables},
        status=status(phase="Ready", revision="hello-00000"),
        annotations={
            WISH_ID: "request-1",
            WISH_TIME: "2026-01-15T09:30:00+00:00",
            SET_FIELDS: "env.SET",
        },
    )


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "main.py").write_text("def handler(event): ...\n")
    return folder


def put_manifest(folder, spec):
    head = "apiVersion: knative-lambda.dev/v1alpha1\nkind: LambdaFunction\n"
    (folder / "function.yaml").write_text(head + json.dumps({"spec": spec})[1:-1] + "\n")


def env_of(request):
    return {each["name"]: each.get("value") for each in request["data"]["env"]}


def test_a_buffer_for_every_request_is_a_setting(kn_lambda, fake_platform, hello):
    result = kn_lambda("set", "hello", "--burst-capacity", "-1")
    assert result.exit_code == ExitCode.OK, result.output
    (request,) = fake_platform.requests()
    assert request["data"]["scale"]["burstCapacity"] == -1
    assert request["data"]["setFields"] == ["env.SET", "scale.burstCapacity"]


def test_settings_of_a_function_that_names_a_reserved_secret_wait_for_another_name(
    kn_lambda, fake_platform, hello
):
    reference = {"name": "knative-lambda-pull", "key": ".dockerconfigjson"}
    hello["spec"]["env"].append({"name": "PULL", "secretKeyRef": reference})
    result = kn_lambda("set", "hello", "--memory", "1Gi")
    assert result.exit_code == ExitCode.USAGE, result.output
    assert "secretKeyRef.name: begins with knative-lambda-" in result.stderr
    assert not fake_platform.requests()
    mended = kn_lambda("set", "hello", "--env-value-from", "PULL=secret:own:key")
    assert mended.exit_code == ExitCode.OK, mended.output


def test_one_event_changes_the_settings_and_keeps_the_source(kn_lambda, fake_platform, hello):
    result = kn_lambda("set", "hello", "-e", "NEW=3", "--memory", "1Gi", "--request-timeout", "30s")
    assert result.exit_code == ExitCode.OK, result.output
    (request,) = fake_platform.requests()
    assert request["ce-type"] == "dev.knative-lambda.build.start.v1"
    assert request["data"]["source"] == _URI
    assert request["data"]["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}
    assert env_of(request) == {"OWN": "1", "SET": "2", "NEW": "3"}
    assert request["data"]["setFields"] == [
        "env.NEW", "env.SET", "resources.limits.memory", "timeoutSeconds",
    ]  # fmt: skip
    assert result.stdout == f"{FakePlatform.url}\n"
    lines = [line.split("s  ", 1)[-1] for line in result.stderr.splitlines()]
    for line in ("env: + NEW", "memory: 512Mi -> 1Gi", "request-timeout: 60 -> 30"):
        assert line in lines
    assert "kept from the command line: SET" in lines
    assert "Call it" not in result.stderr


def test_a_request_has_an_effect_only_on_what_it_has_read(kn_lambda, fake_platform, hello):
    kn_lambda("set", "hello", "--scale-max", "3")
    (request,) = fake_platform.requests()
    assert request["data"]["replaces"] == "request-1"


@pytest.mark.parametrize(
    "options",
    [("-e", "SET=2"), ("--unset", "NEVER"), ("--unset", "scale-max")],
    ids=["value", "variable", "setting"],
)
def test_no_change_says_so_and_sends_nothing(kn_lambda, fake_platform, hello, options):
    result = kn_lambda("set", "hello", *options)
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.OK, [])
    assert "nothing was sent" in result.stdout
    document = json.loads(kn_lambda("set", "hello", *options, "-o", "json").stdout)
    assert (document["outcome"], document["url"]) == ("unchanged", FakePlatform.url)
    assert document["changes"]["fields"] == []


def test_a_value_of_function_yaml_that_an_option_sets_is_a_change(kn_lambda, fake_platform, hello):
    assert kn_lambda("set", "hello", "-e", "OWN=1").exit_code == ExitCode.OK
    (request,) = fake_platform.requests()
    assert request["data"]["setFields"] == ["env.OWN", "env.SET"]


def test_json_says_what_changed_without_values_of_variables(kn_lambda, hello):
    result = kn_lambda("set", "hello", "-e", f"NEW={_SECRET}", "--unset", "SET", "-o", "json")
    document = json.loads(result.stdout)
    assert document["outcome"] == "ready"
    assert document["changes"]["env"] == {"added": ["NEW"], "changed": [], "removed": ["SET"]}
    assert _SECRET not in result.output


def test_no_wait_ends_when_the_event_is_accepted(kn_lambda, fake_platform, hello):
    result = kn_lambda("set", "hello", "--scale-max", "3", "--no-wait", "-o", "json")
    document = json.loads(result.stdout)
    assert (document["outcome"], document["changes"]["setFields"]) == (
        "accepted", ["env.SET", "scale.max"],
    )  # fmt: skip


def test_a_plain_credential_is_warned_of_by_name(kn_lambda, hello):
    result = kn_lambda("set", "hello", "-e", f"API_TOKEN={_SECRET}")
    assert "the name suggests a credential: API_TOKEN" in result.stderr
    assert "--env-value-from API_TOKEN=secret:SECRET:KEY" in result.stderr
    assert _SECRET not in result.output


def test_a_function_that_is_not_there_is_not_found(kn_lambda, fake_platform):
    result = kn_lambda("set", "hello", "-e", "A=1")
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.NOT_FOUND, [])
    assert "function default/hello not found" in result.stderr


def test_no_option_is_wrong_usage(kn_lambda, hello):
    result = kn_lambda("set", "hello")
    assert result.exit_code == ExitCode.USAGE
    assert "kn-lambda set hello --env LOG_LEVEL=debug" in result.stderr


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--memory", "lots"), "spec.resources.limits.memory"),
        (("--scale-max", "many"), "--scale-max"),
        (("--scale-max", "0"), "spec.scale.max"),
        (("--request-timeout", "1h"), "spec.timeoutSeconds"),
        (("--request-timeout", "1500ms"), "spec.timeoutSeconds"),
        (("-e", f"PORT={_SECRET}"), "PORT is set by the platform"),
        (("-e", f"A={_SECRET}\x00"), "spec.env.1.value"),
    ],
)
def test_a_bad_value_names_its_field_and_nothing_is_sent(
    kn_lambda, fake_platform, hello, options, named
):
    result = kn_lambda("set", "hello", *options)
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.USAGE, [])
    assert named in result.stderr
    assert _SECRET not in result.output


def test_a_record_that_cannot_be_read_is_not_changed(kn_lambda, fake_platform):
    fake_platform.put_record(spec={"runtime": 5})
    result = kn_lambda("set", "hello", "-e", "A=1")
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.FAILED, [])
    assert "kn-lambda describe hello" in result.stderr


def test_a_source_that_is_gone_is_the_reason_of_build_start(kn_lambda, fake_platform, hello):
    fake_platform.reject(SourceNotFoundError("nothing there", field="source.uri"))
    result = kn_lambda("set", "hello", "-e", "A=1")
    assert result.exit_code == ExitCode.FAILED
    assert "rejected: SourceNotFound: source.uri: nothing there" in result.stderr
    assert "deploy again" in result.stderr


def test_a_deployment_that_came_in_between_is_not_undone(kn_lambda, fake_platform, hello):
    third = {WISH_ID: "request-2", WISH_TIME: "2026-01-15T09:30:01+00:00"}
    fake_platform.on_request(lambda _headers, _data: fake_platform.put_record(annotations=third))
    result = kn_lambda("set", "hello", "-e", "A=1")
    assert result.exit_code == ExitCode.FAILED
    assert "superseded: a newer request for default/hello was accepted first" in result.stderr
    assert "run the command again" in result.stderr


def test_what_set_changed_stays_when_the_folder_is_deployed(
    kn_lambda, fake_platform, hello, source
):
    put_manifest(source, {"env": [{"name": "SET", "value": "file"}, {"name": "NEW", "value": "f"}]})
    result = kn_lambda("deploy", str(source))
    assert result.exit_code == ExitCode.OK, result.output
    (request,) = fake_platform.requests()
    assert env_of(request) == {"SET": "2", "NEW": "f"}
    assert request["data"]["setFields"] == ["env.SET"]
    assert "replaces" not in request["data"]
    for line in (
        "env: + NEW, - OWN",
        "kept from the command line: SET",
        "hides function.yaml: SET",
    ):
        assert line in result.stderr


def test_a_deployment_unsets_and_then_follows_function_yaml(
    kn_lambda, fake_platform, hello, source
):
    put_manifest(source, {"env": [{"name": "SET", "value": "file"}]})
    result = kn_lambda("deploy", str(source), "--unset", "SET")
    (request,) = fake_platform.requests()
    assert env_of(request) == {"SET": "file"}
    assert "setFields" not in request["data"]
    assert "env: ~ SET, - OWN" in result.stderr


def test_what_an_option_of_deploy_sets_stays_for_the_next_one(kn_lambda, fake_platform, source):
    fake_platform.finish("Ready")
    kn_lambda("deploy", str(source), "-e", "A=1", "--scale-max", "3")
    kn_lambda("deploy", str(source))
    first, second = fake_platform.requests()
    assert first["data"]["setFields"] == ["env.A", "scale.max"]
    assert first["data"]["env"] == second["data"]["env"]
    assert second["data"]["scale"]["max"] == 3


def test_a_deployment_over_an_invalid_record_says_that_nothing_is_kept(
    kn_lambda, fake_platform, source
):
    fake_platform.finish("Ready")
    fake_platform.put_record(spec={"runtime": 5}, annotations={SET_FIELDS: "env.A"})
    result = kn_lambda("deploy", str(source))
    assert result.exit_code == ExitCode.OK, result.output
    assert "nothing is kept that options had set" in result.stderr


def test_describe_says_what_options_set(kn_lambda, fake_platform):
    annotations = {SET_FIELDS: "env.SET,scale.max,\x1b[2J,env.a b,status.url"}
    fake_platform.put_record(annotations=annotations)
    (line,) = [each for each in kn_lambda("describe", "hello").stdout.splitlines() if "Set" in each]
    assert line.split(":")[1].strip() == "SET, scale-max"
