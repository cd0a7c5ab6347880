from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from kn_lambda.errors import ExitCode
from kn_lambda.terminal.board import Board
from knative_lambda.domain.errors import SourceNotFoundError
from tests.helpers.pseudo_terminal import OWN_SEQUENCES
from tests.unit.cli.helpers.fakes import FakePlatform, status


@pytest.fixture
def sources(tmp_path):
    """`sources("a", "b")` are folders of functions."""

    def write(*names, **manifest):
        folders = [tmp_path / name for name in names]
        for folder in folders:
            folder.mkdir(parents=True)
            (folder / "main.py").write_text("def handler(event): ...\n")
            if manifest:
                document = {
                    "apiVersion": "knative-lambda.dev/v1alpha1",
                    "kind": "LambdaFunction",
                    "metadata": manifest,
                }
                (folder / "function.yaml").write_text(json.dumps(document))
        return [str(folder) for folder in folders]

    return write


def fail_some(platform, *broken):
    """Make the control plane fail those, and finish the others."""

    def react(headers, data):
        stamp = {
            "knative-lambda.dev/wish-id": headers["ce-id"],
            "knative-lambda.dev/wish-time": headers["ce-time"],
        }
        name = headers["ce-subject"].partition("/")[2]
        failure = {"reason": "BuildFailed", "message": "no", "log": "one\ntwo\n"}
        build = {"wishId": headers["ce-id"], **(failure if name in broken else {})}
        phase = "Failed" if name in broken else "Ready"
        platform.put_record(
            name, spec=data, annotations=stamp, status=status(phase=phase, build=build)
        )

    platform.on_request(react)


def test_all_are_deployed_and_their_addresses_printed(kn_lambda, fake_platform, sources):
    fake_platform.finish("Ready")
    result = kn_lambda("deploy", *sources("a", "longer"))
    assert result.exit_code == ExitCode.OK, result.output
    assert result.stdout == f"a        {FakePlatform.url}\nlonger   {FakePlatform.url}\n"
    sent = {request["ce-subject"] for request in fake_platform.requests()}
    assert sent == {"default/a", "default/longer"}


def test_every_line_of_progress_says_whose_it_is(kn_lambda, fake_platform, sources):
    fake_platform.finish("Ready")
    shown = kn_lambda("deploy", *sources("a", "longer")).stderr.splitlines()
    assert all(line.startswith(("a      | ", "longer | ")) for line in shown)
    assert any(line.startswith("a ") and line.endswith("ready") for line in shown)


def test_they_are_deployed_at_the_same_time(kn_lambda, fake_platform, sources):
    together = threading.Barrier(3, timeout=60)
    fake_platform.finish("Ready")
    finish = fake_platform.http.responses["POST", fake_platform.broker]

    def accept(**request):
        together.wait()
        return finish(**request)

    fake_platform.http.responses["POST", fake_platform.broker] = accept
    assert kn_lambda("deploy", *sources("a", "b", "c")).exit_code == ExitCode.OK


def test_one_that_fails_stops_no_other_and_fails_the_command(kn_lambda, fake_platform, sources):
    fail_some(fake_platform, "b")
    result = kn_lambda("deploy", *sources("a", "b", "c"))
    assert result.exit_code == ExitCode.FAILED
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["a", "c"]
    assert "Error: b: BuildFailed: no" in result.stderr
    assert "kn-lambda logs b --build" in result.stderr
    assert result.stderr.index("1 of 3 functions failed: b") > result.stderr.index("Error: b")


def test_json_is_a_list_in_the_order_of_the_folders(kn_lambda, fake_platform, sources):
    fail_some(fake_platform, "b")
    result = kn_lambda("deploy", *sources("c", "b", "a"), "-o", "json")
    assert result.exit_code == ExitCode.FAILED
    outcomes = [(each["name"], each["outcome"]) for each in json.loads(result.stdout)]
    assert outcomes == [("c", "ready"), ("b", "failed"), ("a", "ready")]


def test_what_fails_before_it_is_sent_has_a_document_too(kn_lambda, fake_platform, sources):
    fake_platform.finish("Ready")
    good, empty = sources("good", "empty")
    (Path(empty) / "main.py").unlink()
    result = kn_lambda("deploy", good, empty, "--runtime", "python", "-o", "json")
    ready, error = json.loads(result.stdout)
    assert ready["outcome"] == "ready"
    assert (error["outcome"], error["exitCode"]) == ("error", ExitCode.USAGE)
    assert "has no files to deploy" in error["message"]


def test_names_alone_are_those_that_are_ready(kn_lambda, fake_platform, sources):
    fail_some(fake_platform, "b")
    result = kn_lambda("deploy", *sources("a", "b"), "-o", "name")
    assert result.stdout == "lambdafunction.knative-lambda.dev/a\n"


def test_no_wait_returns_when_all_are_accepted(kn_lambda, fake_platform, sources):
    result = kn_lambda("deploy", *sources("a", "b"), "--no-wait", "-o", "json")
    assert [each["outcome"] for each in json.loads(result.stdout)] == ["accepted"] * 2
    assert len(fake_platform.requests()) == 2


@pytest.mark.parametrize(
    "option",
    [("--name", "x"), ("--handler", "main.x"), ("--source", "s3://b/k"), ("--image", "i@sha256:0")],
    ids=lambda option: option[0],
)
def test_an_option_for_one_function_is_wrong_usage(kn_lambda, fake_platform, sources, option):
    result = kn_lambda("deploy", *sources("a", "b"), *option)
    assert result.exit_code == ExitCode.USAGE
    assert f"{option[0]} is for one function, but there are 2 folders" in result.stderr
    assert fake_platform.requests() == []


def test_so_is_one_file_for_several_folders(kn_lambda, fake_platform, sources):
    one, two = sources("a", "b", name="any")
    result = kn_lambda("deploy", one, two, "-f", f"{one}/function.yaml")
    assert result.exit_code == ExitCode.USAGE
    assert "--file is for one function" in result.stderr
    assert fake_platform.requests() == []


def test_two_of_one_name_are_wrong_usage_and_nothing_is_sent(kn_lambda, fake_platform, sources):
    result = kn_lambda("deploy", *sources("x/hello", "y/hello"))
    assert result.exit_code == ExitCode.USAGE
    assert "two of the folders are default/hello; nothing was sent" in result.stderr
    assert fake_platform.requests() == []


def test_one_name_in_two_namespaces_is_two_functions(kn_lambda, fake_platform, sources):
    fake_platform.finish("Ready")
    paths = [*sources("x/hello", name="hello", namespace="team-a"), *sources("y/hello")]
    result = kn_lambda("deploy", *paths)
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        "team-a/hello",
        "default/hello",
    ]


def test_a_namespace_that_contradicts_one_of_them_is_wrong_usage(kn_lambda, fake_platform, sources):
    paths = [*sources("a", name="a", namespace="team-a"), *sources("b")]
    result = kn_lambda("deploy", *paths, "-n", "team-b")
    assert result.exit_code == ExitCode.USAGE
    assert fake_platform.requests() == []


def test_a_bug_in_one_stops_no_other(kn_lambda, fake_platform, sources):
    fake_platform.finish("Ready")
    finish = fake_platform.http.responses["POST", fake_platform.broker]

    def accept(**request):
        if request["headers"]["ce-subject"] == "default/a":
            raise RuntimeError("surprise")
        return finish(**request)

    fake_platform.http.responses["POST", fake_platform.broker] = accept
    result = kn_lambda("deploy", *sources("a", "b"))
    assert result.exit_code == ExitCode.FAILED
    assert "Error: a: bug in kn-lambda: RuntimeError: surprise" in result.stderr
    assert result.stdout.startswith("b ")


def test_a_terminal_shows_one_table_and_afterwards_the_log_of_what_failed(
    on_terminal, fake_platform, sources
):
    fail_some(fake_platform, "b")
    shown = on_terminal("deploy", *sources("a", "b")).stderr
    table, _, rest = OWN_SEQUENCES.sub("", shown).rpartition("NAME")[2].partition("b | one")
    header, first, second = (line.split() for line in table.strip().splitlines())
    assert header == ["STEP", "SECONDS", "OUTCOME"]
    assert (first[0], first[-1]) == ("a", "ready")
    assert (second[0], second[-2:]) == ("b", ["failed:", "BuildFailed"])
    assert "b | two" in rest
    assert "Error: b: BuildFailed: no" in rest


def test_the_table_fits_into_a_narrow_terminal(on_terminal, fake_platform, sources, monkeypatch):
    fail_some(fake_platform, "a-function-with-a-long-name")
    monkeypatch.setenv("COLUMNS", "40")
    shown = on_terminal("deploy", *sources("a", "a-function-with-a-long-name")).stderr
    table = (
        OWN_SEQUENCES.sub("", shown)
        .rpartition("NAME")[2]
        .partition("a-function-with-a-long-name |")[0]
    )
    assert all(len(line.rstrip()) <= 40 for line in table.splitlines())
    assert "failed" in table


def test_a_rejection_is_told_for_each(kn_lambda, fake_platform, sources):
    fake_platform.reject(SourceNotFoundError("nothing there"))
    result = kn_lambda("deploy", *sources("a", "b"))
    assert result.exit_code == ExitCode.FAILED
    assert result.stderr.count("rejected: SourceNotFound: nothing there") == 2


def test_the_time_of_a_function_ends_with_it(capsys):
    now = 0.0
    board = Board(["a"], clock=lambda: now)
    (lane,) = board.lanes.values()
    now = 2.0
    lane.begin()
    now = 3.5
    lane.end("ready")
    now = 100.0
    assert lane.seconds == 1.5
    assert capsys.readouterr().err == "a |   1.50s  ready\n"
