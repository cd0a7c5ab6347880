from __future__ import annotations

import base64
import dataclasses
import json

import pytest

from kn_lambda.errors import ExitCode
from knative_lambda.domain.errors import SourceNotFoundError
from tests.unit.cli.helpers.fakes import DIGEST, FakePlatform, status


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "main.py").write_text("def handler(event): ...\n")
    (folder / "event.json").write_text(json.dumps({"data": {"name": "Ada's"}}))
    return str(folder)


def test_one_event_carries_the_whole_request(kn_lambda, fake_platform, source):
    fake_platform.finish("Ready")
    result = kn_lambda("deploy", source, "-n", "team-a", "--env", "A=1")
    assert result.exit_code == ExitCode.OK, result.output
    (event,) = fake_platform.requests()
    assert event["ce-type"] == "dev.knative-lambda.build.start.v1"
    assert event["ce-subject"] == "team-a/hello"
    assert event["ce-correlationid"]
    assert event["data"]["runtime"] == "python3.11"
    assert event["data"]["env"] == [{"name": "A", "value": "1"}]
    assert set(event["data"]["source"]["inline"]) == {"main.py", "event.json"}


def test_what_is_ready_shows_its_url_and_commands_to_paste(kn_lambda, fake_platform, source):
    fake_platform.finish("Ready")
    result = kn_lambda("deploy", source)
    assert result.stdout == f"{FakePlatform.url}\n"
    assert """invoke hello --home""" in result.stderr
    assert f"curl -s {FakePlatform.url} -H 'ce-specversion: 1.0'" in result.stderr
    assert '"Ada' in result.stderr


def test_json_is_all_that_goes_to_stdout(kn_lambda, fake_platform, source):
    fake_platform.finish("Ready")
    document = json.loads(kn_lambda("deploy", source, "-o", "json").stdout)
    assert document["outcome"] == "ready"
    assert document["url"] == FakePlatform.url


def test_what_serves_already_is_unchanged(kn_lambda, fake_platform, source):
    fake_platform.put_record(status=status(phase="Ready"))
    fake_platform.finish("Ready")
    assert "unchanged" in kn_lambda("deploy", source).stderr
    document = json.loads(kn_lambda("deploy", source, "-o", "json").stdout)
    assert document["outcome"] == "unchanged"


def test_a_failed_build_shows_reason_message_and_last_lines(kn_lambda, fake_platform, source):
    build = {"reason": "RequirementNotFound", "message": "no such package", "log": "one\ntwo\n"}
    fake_platform.finish("Failed", **build)
    result = kn_lambda("deploy", source)
    assert result.exit_code == ExitCode.FAILED
    assert "Error: RequirementNotFound: no such package" in result.stderr
    assert "| two" in result.stderr
    assert "kn-lambda logs hello --build" in result.stderr
    document = json.loads(kn_lambda("deploy", source, "-o", "json").stdout)
    assert (document["outcome"], document["log"]) == ("failed", "one\ntwo\n")


def test_a_function_that_does_not_start_points_to_its_own_log(kn_lambda, fake_platform, source):
    fake_platform.finish("Failed", reason="RevisionFailed", message="it ended", digest=DIGEST)
    assert "See the log: kn-lambda logs hello\n" in kn_lambda("deploy", source).stderr


def test_a_build_that_was_cancelled_before_it_ran_points_to_no_log(
    kn_lambda, fake_platform, source
):
    fake_platform.finish("Failed", reason="Cancelled", message="deploy again")
    assert "See the log" not in kn_lambda("deploy", source).stderr
    fake_platform.finish("Failed", reason="Cancelled", message="deploy again", log="one\n")
    assert "See the log" in kn_lambda("deploy", source).stderr


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("SourceNotFound", "Fix the problem"),
        ("NamespaceNotFound", "kn-lambda tenant add"),
    ],
)
def test_a_rejected_event_shows_the_reason_of_build_start(
    kn_lambda, fake_platform, source, reason, hint
):
    said = json.dumps({"reason": reason, "message": "nothing there", "field": "source"})
    letter = {
        "error": "the subscriber responded with 422",
        "event": {"knativeerrordata": base64.b64encode(said.encode()).decode()},
    }
    entry = {
        "attributes": {"id": "1", "type": "dev.knative-lambda.build.start.v1"},
        "triggers": [{"name": "build-start", "state": "dead", "attempts": 1, "status": 422}],
    }
    fake_platform.http.respond("GET", "http://broker.test/-/events", 200, {"events": [entry]})
    fake_platform.http.respond(
        "GET", "http://broker.test/-/dead-letters", 200, {"deadLetters": [letter]}
    )
    result = kn_lambda("deploy", source)
    assert result.exit_code == ExitCode.FAILED
    assert f"rejected: {reason}: source: nothing there" in result.stderr
    assert hint in result.stderr


@pytest.mark.parametrize("is_embedded", [True, False], ids=["embedded", "cluster"])
def test_a_rejection_by_build_start_ends_the_wait(kn_lambda, fake_platform, source, is_embedded):
    fake_platform.installation = dataclasses.replace(
        fake_platform.installation, is_embedded=is_embedded
    )
    fake_platform.reject(SourceNotFoundError("nothing there", field="source.uri"))
    result = kn_lambda("deploy", source)
    assert result.exit_code == ExitCode.FAILED
    assert "rejected: SourceNotFound: source.uri: nothing there" in result.stderr
    assert "Fix the problem and deploy again" in result.stderr
    document = json.loads(kn_lambda("deploy", source, "-o", "json").stdout)
    assert document == {
        "seconds": document["seconds"],
        "namespace": "default",
        "name": "hello",
        "outcome": "refused",
        "reason": "SourceNotFound",
        "message": "nothing there",
        "field": "source.uri",
    }


def test_a_newer_request_means_superseded(kn_lambda, fake_platform, source):
    newer = {
        "knative-lambda.dev/wish-id": "other",
        "knative-lambda.dev/wish-time": "2099-01-01T00:00:00+00:00",
    }
    fake_platform.put_record(annotations=newer)
    result = kn_lambda("deploy", source)
    assert result.exit_code == ExitCode.FAILED
    assert "superseded" in result.stderr


def test_waiting_ends_with_an_exit_code_of_its_own(kn_lambda, source):
    result = kn_lambda("deploy", source, "--timeout", "1ms")
    assert result.exit_code == ExitCode.TIMED_OUT
    assert "the deployment continues" in result.stderr


def test_no_wait_returns_when_the_event_is_accepted(kn_lambda, fake_platform, source):
    result = kn_lambda("deploy", source, "--no-wait", "-o", "json")
    (event,) = fake_platform.requests()
    document = json.loads(result.stdout)
    assert (document["outcome"], document["eventId"]) == ("accepted", event["ce-id"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--runtime", "python2.7"), "not installed here"),
        (("--handler", "no handler"), "spec.handler"),
        (("--name", "Not_A_Name"), "invalid function name"),
        (("--timeout", "soon"), "not a duration"),
        (("--image", "nginx:latest"), "nginx:latest has no digest"),
        (("--image", "nginx"), "nginx has no digest"),
        (("--image", "nginx@latest"), "must include a digest"),
    ],
)
def test_an_invalid_request_is_wrong_usage_and_nothing_is_sent(
    kn_lambda, fake_platform, source, options, message
):
    result = kn_lambda("deploy", source, *options)
    assert result.exit_code == ExitCode.USAGE
    assert message in result.stderr
    assert fake_platform.requests() == []


def test_an_image_without_a_digest_comes_with_the_commands_that_print_it(kn_lambda, source):
    said = kn_lambda("deploy", source, "--image", "nginx:$(reboot)").stderr
    assert "skopeo inspect --format '{{.Name}}@{{.Digest}}' 'docker://nginx:$(reboot)'" in said
    assert "The embedded platform runs only images that it built itself" in said


def test_the_embedded_platform_runs_no_image_of_others(kn_lambda, fake_platform, source):
    fake_platform.installation.settings().update(KN_LAMBDA_IMAGE_PREFIX="registry.embedded")
    image = f"docker.io/nginx@{DIGEST}"
    result = kn_lambda("deploy", source, "--image", image)
    assert result.exit_code == ExitCode.USAGE
    assert f"the embedded platform cannot run {image}" in result.stderr
    assert "--context" in result.stderr
    assert fake_platform.requests() == []
    own = f"registry.embedded/default/hello@{DIGEST}"
    assert kn_lambda("deploy", source, "--image", own, "--no-wait").exit_code == ExitCode.OK


def test_two_namespaces_are_a_contradiction(kn_lambda, tmp_path):
    manifest = tmp_path / "function.yaml"
    manifest.write_text(
        "apiVersion: knative-lambda.dev/v1alpha1\nkind: LambdaFunction\n"
        "metadata: {name: hello, namespace: team-a}\nspec: {runtime: python}\n"
    )
    result = kn_lambda("deploy", "-f", str(manifest), "-n", "team-b")
    assert result.exit_code == ExitCode.USAGE
    assert "team-a" in result.stderr


def test_large_sources_are_uploaded_under_their_hash(kn_lambda, fake_platform, source, tmp_path):
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    settings = fake_platform.api.objects[
        "configmaps", "knative-lambda", "knative-lambda-settings"
    ]["data"]  # fmt: skip
    settings["KN_LAMBDA_UPLOAD_URL"] = uploads.as_uri() + "/"
    (tmp_path / "hello" / "data.bin").write_bytes(b"\xff\x00")
    fake_platform.finish("Ready")
    for _ in range(2):
        assert kn_lambda("deploy", source).exit_code == ExitCode.OK
    first, second = (event["data"]["source"]["uri"] for event in fake_platform.requests())
    assert first == second
    assert first.startswith(f"{uploads.as_uri()}/default/hello/")
    (stored,) = (uploads / "default" / "hello").iterdir()
    assert first.endswith(stored.name)
