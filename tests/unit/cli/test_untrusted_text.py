"""Untrusted text is escaped on a terminal; in a pipe it stays unchanged."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
from pathlib import Path

import pytest
import yaml

import kn_lambda
from kn_lambda.terminal.log_records import stderr_handler
from kn_lambda.terminal.output import Styled, echo
from knative_lambda.adapters.kubernetes.client import PODS, SERVICES
from knative_lambda.domain.errors import SourceNotFoundError
from tests.helpers.pseudo_terminal import OWN_SEQUENCES, pseudo_terminal
from tests.unit.cli.helpers.fakes import FakePlatform, status

ATTACKS = {
    "writes the clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "clears the screen": "\x1b[2J\x1b[H",
    "names the window": "\x1b]0;owned\x1b\\",
    "paints over its line": "evil\rgood",
    "is one byte to many terminals": "\x9b2J\x9d52;c;AAAA\x9c",
    "deletes": "a\x08\x7fb",
    "turns text around": "\u202egnp.exe\u2066\u200f\u2069\u061c",
    "cannot be seen": "a\u200b\u2060\ufeff\u2028\U000e0041b",
}
ALL = "".join(ATTACKS.values())
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\U000e0000-\U000e007f]"
)


def assert_only_shown(*texts: str) -> None:
    for text in texts:
        assert _OBEYED.findall(OWN_SEQUENCES.sub("", text)) == []


def put_log(platform: FakePlatform, text: str, pod: str = "pod") -> None:
    labels = {"serving.knative.dev/service": "hello"}
    metadata = {"namespace": "default", "name": pod, "labels": labels, "uid": pod}
    platform.api.put(PODS, {"metadata": {**metadata, "creationTimestamp": "2026-01-01T00:00:00Z"}})
    platform.api.logs[f"{PODS.path('default', pod, 'log')}?user-container"] = text


def put_build_log(platform: FakePlatform, text: str) -> None:
    metadata = {"namespace": "knative-lambda-builds", "name": "b", "labels": {"job-name": "job"}}
    platform.api.put(PODS, {"metadata": metadata, "spec": {"containers": [{"name": "build"}]}})
    platform.api.logs[f"{PODS.path('knative-lambda-builds', 'b', 'log')}?build"] = text


def put_failure(platform: FakePlatform, text: str) -> None:
    """A record, every text of which that somebody else may have written is this one."""
    build = {"id": "c" * 64, "job": "job", "reason": text, "message": text, "log": f"{text}\n"}
    condition = {"type": "BuildReady", "status": "False", "reason": text, "message": text}
    platform.put_record(
        spec={"runtime": "python3.11", "source": {"inline": {text: ""}}, "handler": text},
        status={"phase": "Failed", "url": text, "build": build, "conditions": [condition]},
    )


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_logs_show_it_escaped_on_a_terminal_and_raw_in_a_pipe(
    on_terminal, kn_lambda, fake_platform, attack
):
    fake_platform.put_record(status=status(phase="Ready"))
    put_log(fake_platform, f"before {attack} after\n")
    shown = on_terminal("logs", "hello").stdout
    assert_only_shown(shown)
    assert re.fullmatch(r"before .*\\.* after\n", shown)
    assert kn_lambda("logs", "hello").stdout == f"before {attack} after\n"


def test_escapes_can_be_read(on_terminal, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    put_log(fake_platform, "\x1b]52;c;AA\x07 \x9b2J a\rb \u202e \U000e0041 \x1b[8mhidden\n")
    shown = on_terminal("logs", "hello").stdout
    assert shown == r"\x1b]52;c;AA\x07 \x9b2J a\rb \u202e \U000e0041 \x1b[8mhidden" + "\n"


def test_what_commands_nothing_is_left_alone(on_terminal, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    text = "\tindented \\x1b é 日本 👩‍💻 می‌خواهم\r\nsecond\n"
    put_log(fake_platform, text)
    assert on_terminal("logs", "hello").stdout == text


@pytest.mark.parametrize(
    "arguments",
    [
        ("logs", "hello"), ("logs", "hello", "--build"), ("logs", "hello", "-o", "json"),
        ("logs", "hello", "--build", "--follow"), ("describe", "hello"), ("list",),
        ("list", "-A", "-o", "wide"), ("describe", "hello", "-o", "json"),
        ("describe", "hello", "-o", "yaml"), ("list", "-o", "json"), ("list", "-o", "yaml"),
        ("invoke", "hello"), ("invoke", "hello", "-v", "--data", f"{{{ALL}"), ("events",),
        ("events", "--dead-letters"), ("events", "-o", "json"),
        ("events", "--dead-letters", "-o", "json"), ("doctor",), ("doctor", "-o", "json"),
        ("describe", "hello", "--context", ALL), ("describe", ALL), (ALL,), ("logs", "hello", ALL),
        ("deploy", ALL), ("describe", "hello", f"--{ALL}"), ("list", "-n", ALL),
        ("set", ALL, "-e", "A=1"), ("set", "hello", "-e", f"{ALL}=1"),
        ("set", "hello", "--unset", ALL), ("set", "hello", "--memory", ALL),
        ("set", "hello", "--env-value-from", ALL), ("set", "hello", "-e", "A=1"),
        ("init", ALL), ("deploy", ".", "--name", ALL), ("deploy", ".", "--env", ALL),
    ],
    ids=lambda arguments: " ".join(arguments).replace(ALL, "ALL").encode("unicode_escape").decode(),
)  # fmt: skip
def test_no_command_lets_untrusted_text_control_the_terminal(
    on_terminal, fake_platform, arguments, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    put_failure(fake_platform, ALL)
    put_log(fake_platform, f"{ALL}\n")
    put_build_log(fake_platform, f"{ALL}\n")
    put_journal(fake_platform, ALL)
    put_service(fake_platform, ALL)
    shown = on_terminal(*arguments)
    assert shown.stdout + shown.stderr
    assert_only_shown(shown.stdout, shown.stderr)


def put_journal(platform: FakePlatform, text: str) -> None:
    delivery = {"namespace": "default", "name": text, "state": text, "attempts": 2, "status": 500}
    event = {"id": "1", "type": text, "subject": text, "knativeerrordata": text}
    entry = {"attributes": event, "acceptedAt": "2026-01-15T09:30:00Z", "triggers": [delivery]}
    dead = {
        "event": event, "diedAt": "2026-01-15T09:30:00Z", "trigger": text, "attempts": 1,
        "status": 500, "error": text, "namespace": "default",
    }  # fmt: skip
    base = "http://broker.test/-"
    platform.http.respond("GET", f"{base}/events", 200, {"events": [entry]})
    platform.http.respond("GET", f"{base}/dead-letters", 200, {"deadLetters": [dead]})


def put_service(platform: FakePlatform, text: str) -> None:
    condition = {"type": "Ready", "status": "False", "reason": text, "message": text}
    item = {"metadata": {"namespace": "knative-lambda", "name": "build-start"}}
    platform.api.put(SERVICES, {**item, "status": {"conditions": [condition]}})


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("status_code", [200, 400, 500])
@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "image/png"])
def test_neither_does_a_response_or_a_rejection(
    on_terminal, fake_platform, output, status_code, content_type
):
    fake_platform.put_record(status=status(phase="Ready"))
    for body in (ALL.encode(), json.dumps({"reason": ALL, "message": ALL}).encode()):
        fake_platform.http.respond(
            "POST", FakePlatform.url, status_code, body, content_type=content_type, x_header=ALL
        )
        shown = on_terminal("invoke", "hello", "-o", output)
        assert shown.stdout + shown.stderr
        assert_only_shown(shown.stdout, shown.stderr)


def test_a_reply_goes_into_a_pipe_byte_for_byte(on_terminal, kn_lambda, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    body = ALL.encode() + b"\xff\x9b2J\x00 no newline"
    fake_platform.http.respond("POST", FakePlatform.url, 200, body, content_type="text/plain")
    assert kn_lambda("invoke", "hello").stdout_bytes == body
    shown = on_terminal("invoke", "hello").stdout
    assert_only_shown(shown)
    assert shown.endswith("\\xff\\x9b2J\\x00 no newline\n")


@pytest.mark.parametrize(("output", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_a_document_on_a_terminal_is_escaped_in_its_own_way_and_stays_the_same_document(
    on_terminal, kn_lambda, fake_platform, output, load
):
    put_failure(fake_platform, ALL)
    on_screen = on_terminal("describe", "hello", "-o", output).stdout
    assert_only_shown(on_screen)
    piped = kn_lambda("describe", "hello", "-o", output).stdout
    assert load(on_screen) == load(piped)
    assert "\u202e" in piped


def test_a_document_without_them_looks_the_same_everywhere(on_terminal, kn_lambda, fake_platform):
    put_failure(fake_platform, "é 日本")
    arguments = ("describe", "hello", "-o", "json")
    assert on_terminal(*arguments).stdout == kn_lambda(*arguments).stdout


def test_a_table_on_a_terminal_keeps_its_columns_and_its_rows(
    on_terminal, fake_platform, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    put_failure(fake_platform, "\x1b[2J\n\tnext")
    fake_platform.put_record("other", status=status(phase="Ready"))
    shown = on_terminal("list", "-o", "wide").stdout
    header, *rows = OWN_SEQUENCES.sub("", shown).splitlines()
    assert len(rows) == 2
    for row in rows:
        assert row[header.index("AGE") - 3 : header.index("AGE")] == "   "
        assert re.match(r"\d+[a-z]", row[header.index("AGE") :])


def test_a_field_cannot_pass_for_another(on_terminal, fake_platform):
    variable = {"name": "A", "value": "1\nPhase:       Ready"}
    fake_platform.put_record(
        spec={"runtime": "python3.11", "env": [variable]}, status={"phase": "Failed"}
    )
    lines = on_terminal("describe", "hello").stdout.splitlines()
    assert [line for line in lines if line.startswith("Phase:")] == [
        "Phase:       \x1b[31mFailed\x1b[0m"
    ]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "main.py").write_text("def handler(event): ...\n")
    (folder / "event.json").write_text(json.dumps({"data": {"name": ALL}}))
    return str(folder)


def test_deploy_shows_log_and_failure_of_a_build_escaped(on_terminal, fake_platform, source):
    fake_platform.finish("Failed", reason=ALL, message=ALL, log=f"a line {ALL}\n")
    shown = on_terminal("deploy", source, "-v")
    assert "a line" in shown.stderr
    assert_only_shown(shown.stdout, shown.stderr)
    shown = on_terminal("deploy", source, "-o", "json")
    assert_only_shown(shown.stdout, shown.stderr)


def test_deploy_escapes_a_rejection_and_the_command_lines_to_copy(
    on_terminal, fake_platform, source
):
    fake_platform.reject(SourceNotFoundError(ALL, field=ALL))
    assert_only_shown(on_terminal("deploy", source).stderr)
    fake_platform.finish("Ready")
    shown = on_terminal("deploy", source)
    assert "curl" in shown.stderr
    assert_only_shown(shown.stdout, shown.stderr)


def test_a_bug_and_its_traceback_are_shown_escaped(on_terminal, fake_platform):
    def broken(*_: object) -> None:
        raise RuntimeError(ALL)

    fake_platform.api.find = broken
    shown = on_terminal("describe", "hello", "-v")
    assert "Traceback" in shown.stderr
    assert_only_shown(shown.stderr)


@pytest.mark.parametrize("has_stdout", [True, False], ids=["only stdout", "only stderr"])
def test_each_stream_is_judged_by_itself(has_stdout):
    pipe = io.StringIO()
    with pseudo_terminal() as terminal:
        streams = (terminal.stream, pipe) if has_stdout else (pipe, terminal.stream)
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            echo(ALL, Styled(" blue", fg="blue"), err=not has_stdout)
            echo(ALL, Styled(" blue", fg="blue"), err=has_stdout)
    assert pipe.getvalue() == f"{ALL} blue\n"
    assert_only_shown(terminal.text)
    assert "\x1b[34m blue\x1b[0m" in terminal.text


def test_all_output_of_the_command_line_goes_one_way():
    sources = Path(kn_lambda.__file__).parent
    past_it = re.compile(
        r"click\.s?echo|(?<!screen\.)\bprint\(|sys\.std(out|err)|get_(text|binary)_stream"
    )
    rich = re.compile(r"^\s*(from|import) rich\b", re.MULTILINE)
    found = {
        file.relative_to(sources).as_posix(): text
        for file in sources.rglob("*.py")
        if (past_it.search(text := file.read_text()) or rich.search(text))
        and "embedded" not in file.parts
    }
    direct = {name for name, text in found.items() if past_it.search(text)}
    assert direct == {"terminal/output.py"}
    # rich prints too; `rich_console` makes it safe.
    assert {name.partition("/")[0] for name in found} == {"terminal"}


def test_what_the_platform_logs_is_shown_escaped():
    record = logging.LogRecord("kn_lambda", logging.WARNING, "", 1, "it said %s", (ALL,), None)
    with pseudo_terminal() as terminal, contextlib.redirect_stderr(terminal.stream):
        stderr_handler().handle(record)
    assert terminal.text.startswith("WARNING kn_lambda: it said \\x1b]52")
    assert_only_shown(terminal.text)


def test_our_own_colours_stay(on_terminal, fake_platform, source, monkeypatch):
    fake_platform.finish("Ready")
    assert "\x1b[32m\x1b[1mready\x1b[0m" in on_terminal("deploy", source).stderr
    assert "\x1b[31m" in on_terminal("describe", "nothing").stderr
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in on_terminal("deploy", source).stderr
    assert "\x1b" not in on_terminal("describe", "nothing").stderr
    assert "\x1b" not in on_terminal("list").stdout
