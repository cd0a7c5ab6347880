"""`deploy --watch`: what a save does. Each step of a story changes files, as an editor would."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from kn_lambda.cluster.connecting import TargetOptions
from kn_lambda.deploying.deploy_request import Overrides, make_deploy_request
from kn_lambda.deploying.redeploying import Redeployment
from kn_lambda.errors import ExitCode, UnreachableError, WrongUsageError
from kn_lambda.session import Session
from tests.helpers.pseudo_terminal import pseudo_terminal
from tests.unit.cli.helpers.fakes import DIGEST, WISH_ID, WISH_TIME, FakePlatform, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MANIFEST = "apiVersion: knative-lambda.dev/v1alpha1\nkind: LambdaFunction\n"


@dataclass
class Watched:
    """A source that is watched on a platform in memory; `save` says what each save does."""

    platform: FakePlatform
    folder: Path
    output: str = "text"
    connections: int = 0
    is_down: bool = False
    patience_seconds: float = 5
    steps: list[Callable[[], object]] = field(default_factory=list)

    def watch(self, *steps: Callable[[], object], namespace: str | None = None) -> None:
        target = TargetOptions(context=None, kubeconfig=None, home=self.folder)
        session = Session(
            requested_namespace=namespace,
            target=target,
            output=self.output,
            verbose=False,
            connect=self._connect,
        )
        Redeployment(
            session=session,
            make_request=lambda: make_deploy_request(self.folder, None, Overrides()),
            timeout_seconds=30,
            patience_seconds=self.patience_seconds,
        ).run(self._saves(steps))

    def save(self, name: str, text: str) -> Callable[[], object]:
        return lambda: (self.folder / name).write_text(text)

    def break_the_platform(self) -> None:
        self.is_down = True

    def mend_the_platform(self) -> None:
        self.is_down = False

    def sent(self) -> list[dict[str, str]]:
        return [event["data"]["source"]["inline"] for event in self.platform.requests()]

    def _saves(self, steps: tuple[Callable[[], object], ...]) -> Iterator[bool]:
        for step in steps:
            # What a step that is no save returns is no number of characters.
            yield step() is not None

    def _connect(self, _options: TargetOptions):
        self.connections += 1
        if self.is_down:
            raise UnreachableError("the platform does not run")
        return self.platform.installation


def is_quiet() -> None:
    """No file was saved for a while."""


@pytest.fixture
def watched(fake_platform, tmp_path) -> Watched:
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "main.py").write_text("1")
    fake_platform.finish("Ready")
    return Watched(fake_platform, folder)


def test_each_save_of_a_file_is_deployed(watched, capsys):
    watched.watch(watched.save("main.py", "2"), watched.save("more.py", "3"))
    assert watched.sent() == [
        {"main.py": "1"}, {"main.py": "2"}, {"main.py": "2", "more.py": "3"},
    ]  # fmt: skip
    shown = capsys.readouterr()
    assert shown.out == f"{FakePlatform.url}\n", "the URL is shown once"
    assert "main.py" in shown.err
    assert "more.py" in shown.err


def test_many_files_at_once_are_one_deployment_and_a_short_line(watched, capsys):
    def check_out():
        return sum((watched.folder / f"m{n}.py").write_text("x") for n in range(500))

    watched.watch(check_out)
    assert [len(files) for files in watched.sent()] == [1, 501]
    assert "m0.py, m1.py, m10.py and 497 more" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        ".main.py.swp", ".main.py.swo", "main.py~", "#main.py#", ".#main.py",
        "__pycache__/main.cpython-311.pyc", ".git/index.lock", ".env", "prod.env", "a.log",
    ],
)  # fmt: skip
def test_what_is_not_deployed_starts_no_deployment(watched, name):
    (watched.folder / ".funcignore").write_text("*.log\n")
    (watched.folder / name).parent.mkdir(exist_ok=True)
    watched.watch(watched.save(name, "changed"))
    assert len(watched.sent()) == 1


def test_a_file_that_is_saved_unchanged_starts_no_deployment(watched):
    watched.watch(watched.save("main.py", "1"))
    assert len(watched.sent()) == 1


def test_a_change_of_function_yaml_is_deployed(watched, capsys):
    scale = f"{_MANIFEST}spec: {{runtime: python3.11, scale: {{max: 3}}}}\n"
    watched.watch(watched.save("function.yaml", scale))
    assert [event["data"].get("scale") for event in watched.platform.requests()][1] is not None
    assert "function.yaml" in capsys.readouterr().err


def test_a_changed_variable_is_named_once_without_its_value(watched, capsys):
    env = f"{_MANIFEST}spec: {{runtime: python3.11, env: [{{name: COLOUR, value: green}}]}}\n"
    watched.watch(watched.save("function.yaml", env), watched.save("main.py", "2"))
    shown = capsys.readouterr().err
    assert shown.count("env: + COLOUR") == 1
    assert "green" not in shown


def test_a_change_of_funcignore_is_deployed(watched):
    (watched.folder / "notes.txt").write_text("")
    watched.watch(watched.save(".funcignore", "notes.txt\n"))
    assert [sorted(files) for files in watched.sent()] == [["main.py", "notes.txt"], ["main.py"]]


def test_a_build_that_fails_is_shown_with_its_log_and_the_next_save_is_deployed(watched, capsys):
    def break_it():
        watched.platform.finish("Failed", reason="Broken", message="no", log="a line\n")
        return watched.save("main.py", "broken")()

    def mend_it():
        watched.platform.finish("Ready")
        return watched.save("main.py", "2")()

    watched.watch(break_it, mend_it)
    shown = capsys.readouterr().err
    assert "Error: Broken: no" in shown
    assert "| a line" in shown
    assert watched.sent()[-1] == {"main.py": "2"}


def test_a_first_deployment_that_fails_is_watched_all_the_same(watched, capsys):
    watched.platform.finish("Failed", reason="RevisionFailed", message="no", digest=DIGEST)
    watched.watch(watched.save("main.py", "2"))
    assert len(watched.sent()) == 2
    assert "RevisionFailed" in capsys.readouterr().err


def test_a_broken_function_yaml_is_shown_once_and_the_mended_one_is_deployed(watched, capsys):
    broken = watched.save("function.yaml", "spec: {")
    watched.watch(broken, is_quiet, is_quiet, watched.save("function.yaml", _MANIFEST))
    assert capsys.readouterr().err.count("is not YAML") == 1
    assert len(watched.sent()) == 2


def test_a_wrong_function_yaml_ends_the_command_when_it_begins(watched):
    (watched.folder / "function.yaml").write_text("spec: {")
    with pytest.raises(WrongUsageError, match="is not YAML"):
        watched.watch()


def test_a_platform_that_restarts_gets_the_save_when_it_is_back(watched, capsys):
    def save_while_it_is_down():
        watched.break_the_platform()
        return watched.save("main.py", "2")()

    watched.watch(save_while_it_is_down, is_quiet, watched.mend_the_platform, is_quiet)
    assert watched.sent() == [{"main.py": "1"}, {"main.py": "2"}]
    assert capsys.readouterr().err.count("Error: the platform does not run") == 1
    assert watched.connections == 4, "asked until it was back, and not after that"


def test_a_platform_that_is_down_when_it_begins_ends_the_command(watched):
    watched.break_the_platform()
    with pytest.raises(UnreachableError):
        watched.watch()


def test_a_file_that_may_hold_credentials_is_warned_of_once(watched, capsys):
    (watched.folder / "server.pem").write_text("secret")
    again = [watched.save("main.py", "2"), watched.save("main.py", "3")]
    watched.watch(*again, watched.save("client.pem", "secret"), watched.save("main.py", "4"))
    shown = capsys.readouterr().err
    assert shown.count("usually contain credentials: server.pem\n") == 1
    assert shown.count("usually contain credentials: client.pem, server.pem\n") == 1
    assert len(watched.sent()) == 4


def test_a_slow_deployment_is_left_alone_for_a_newer_save(watched, capsys):
    def save_what_takes_for_ever():
        watched.platform.on_request(lambda _headers, _data: None)
        return watched.save("main.py", "2")()

    def save_again():
        watched.platform.finish("Ready")
        return watched.save("main.py", "3")()

    watched.patience_seconds = 0
    watched.watch(save_what_takes_for_ever, is_quiet, save_again, is_quiet)
    assert [files["main.py"] for files in watched.sent()] == ["1", "2", "3"]
    shown = capsys.readouterr().err
    assert "superseded by the next save" in shown
    assert "Error" not in shown


def test_a_slow_deployment_is_waited_for_if_only_other_files_are_saved(watched):
    def save_what_takes_a_while():
        watched.platform.on_request(lambda _headers, _data: None)
        return watched.save("main.py", "2")()

    def finish():
        (event,) = watched.platform.requests()[1:]
        stamp = {WISH_ID: event["ce-id"], WISH_TIME: event["ce-time"]}
        ready = status(build={"id": "b" * 64, "wishId": event["ce-id"]})
        watched.platform.put_record(annotations=stamp, status=ready)
        return watched.save(".env", "B=1")()

    watched.patience_seconds = 0
    watched.watch(save_what_takes_a_while, watched.save(".env", "A=1"), finish)
    assert [files["main.py"] for files in watched.sent()] == ["1", "2"]


def test_a_newer_request_of_somebody_else_is_no_error(watched, capsys):
    newer = {
        "knative-lambda.dev/wish-id": "other",
        "knative-lambda.dev/wish-time": "2099-01-01T00:00:00+00:00",
    }

    def another_is_faster():
        watched.platform.on_request(lambda _headers, _data: None)
        watched.platform.put_record(annotations=newer)
        return watched.save("main.py", "2")()

    watched.watch(another_is_faster)
    shown = capsys.readouterr().err
    assert "superseded" in shown
    assert "Error" not in shown


def test_json_is_one_document_a_line_for_each_deployment(watched, capsys):
    watched.output = "json"
    watched.watch(watched.save("main.py", "2"))
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["outcome"], first["files"]) == ("ready", [])
    assert (second["url"], second["files"]) == (FakePlatform.url, ["main.py"])


def test_the_name_of_a_file_cannot_control_the_terminal(watched):
    with pseudo_terminal() as terminal, contextlib.redirect_stderr(terminal.stream):
        watched.watch(watched.save("a\u202ebc.py", "x"), watched.save("a\x1b]0;owned\x07.py", "x"))
    assert r"a\u202ebc.py" in terminal.text
    assert r"a\x1b]0;owned\x07.py" in terminal.text
    assert not any(control in terminal.text for control in ("\x1b]", "\u202e"))


def test_function_yaml_may_name_another_function_while_it_is_watched(watched):
    other = f"{_MANIFEST}metadata: {{name: other, namespace: team-a}}\n"
    watched.watch(watched.save("function.yaml", other))
    subjects = [event["ce-subject"] for event in watched.platform.requests()]
    assert subjects == ["default/hello", "team-a/other"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--no-wait",), "Use only one of them"),
        ((".",), "--watch is for one PATH, not for 2"),
        (("--image", f"registry/hello@{DIGEST}"), "--watch is for files in PATH"),
        (("--source", "s3://b/a.zip"), "--watch is for files in PATH"),
    ],
    ids=["no-wait", "several", "image", "source"],
)
def test_what_cannot_be_watched_is_refused_at_once(kn_lambda, watched, arguments, said):
    refused = kn_lambda("deploy", str(watched.folder), "--watch", *arguments)
    assert refused.exit_code == ExitCode.USAGE
    assert said in refused.stderr


def test_logs_without_watch_are_refused_at_once(kn_lambda, watched):
    refused = kn_lambda("deploy", str(watched.folder), "--logs")
    assert refused.exit_code == ExitCode.USAGE
    assert "kn-lambda logs NAME" in refused.stderr
    assert watched.sent() == []


def test_a_function_yaml_with_a_source_of_its_own_has_nothing_to_watch(kn_lambda, watched):
    image = f"{_MANIFEST}spec: {{runtime: python3.11, source: {{uri: s3://b/a.zip}}}}\n"
    (watched.folder / "function.yaml").write_text(image)
    refused = kn_lambda("deploy", str(watched.folder), "--watch")
    assert refused.exit_code == ExitCode.USAGE
    assert "there are no files to watch" in refused.stderr
