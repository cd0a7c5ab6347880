"""What is drawn on a terminal: in its width, in colours and movements that people can refuse."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys

import pytest

from kn_lambda.terminal.output import Styled, echo
from kn_lambda.terminal.progress import Progress
from kn_lambda.terminal.tables import print_fields, print_table
from tests.helpers.pseudo_terminal import OWN_SEQUENCES, pseudo_terminal
from tests.unit.cli.helpers.fakes import FakePlatform, status

MARKUP = "[red]not a colour[/red] [link=http://evil.test]x[/link] :boom:"
ROWS = [("hello", "http://127.0.0.1:8080/default/hello"), ("another", "http://x")]
_COLOUR = re.compile(r"\x1b\[[0-9;]+m")


@pytest.fixture
def terminal(monkeypatch):
    """`terminal(width, print_table, ...)` is what a terminal of that width gets from the call."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "KN_LAMBDA_PLAIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def shown(width, call, *arguments, **options):
        monkeypatch.setenv("COLUMNS", str(width))
        with (
            pseudo_terminal() as screen,
            contextlib.redirect_stdout(screen.stream),
            contextlib.redirect_stderr(screen.stream),
        ):
            call(*arguments, **options)
        return screen.text

    return shown


def lines(text):
    return [line.rstrip() for line in OWN_SEQUENCES.sub("", text).splitlines()]


def test_a_table_that_fits_looks_on_a_terminal_as_in_a_pipe(terminal, capsys):
    print_table(("name", "url"), ROWS)
    assert lines(terminal(80, print_table, ("name", "url"), ROWS)) == lines(capsys.readouterr().out)


def test_a_table_that_is_too_wide_lists_the_fields_of_each_row(terminal):
    assert lines(terminal(40, print_table, ("name", "url"), ROWS)) == [
        "NAME:   hello",
        "URL:",
        "  http://127.0.0.1:8080/default/hello",
        "",
        "NAME:   another",
        "URL:    http://x",
    ]


def test_prose_is_folded_between_words_and_only_prose(terminal):
    rows = [("Ready", "the container of the revision could not start")]
    assert lines(terminal(40, print_table, ("type", "message"), rows, prose=("message",))) == [
        "TYPE    MESSAGE",
        "Ready   the container of the revision",
        "        could not start",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_but_a_word_that_is_longer_than_it_overflows_a_terminal(terminal, width):
    fields = [("Name", "hello"), ("Subscription", "type=com.example.order.placed and others too")]
    shown = lines(terminal(width, print_fields, fields, indent=2))
    shown += lines(terminal(width, print_table, ("name", "age"), [("hello", "3d"), ("b", "12d")]))
    assert [line for line in shown if len(line) > width and " " in line.strip()] == []


def test_wide_characters_take_two_columns(terminal):
    first, second, third = lines(
        terminal(80, print_table, ("name", "age"), [("日本", "1d"), ("abcd", "2d")])
    )
    assert (second, third) == ("日本   1d", "abcd   2d")
    assert first == "NAME   AGE"


@pytest.mark.parametrize("width", [30, 200])
def test_text_is_never_markup(terminal, width):
    shown = terminal(width, print_table, ("name", "text"), [("a", MARKUP)])
    shown += terminal(width, print_fields, [("Text", MARKUP)])
    shown += terminal(width, working, Progress(), MARKUP)
    assert "[red]" in shown
    assert "\x1b[31m" not in shown
    assert "\x1b]8" not in shown


def working(progress, text, *, error=None):
    with progress:
        progress.step(text, then=text)
        progress.log(text)
        if error:
            raise error


def test_a_terminal_shows_what_goes_on_until_it_ends(terminal):
    shown = terminal(80, working, Progress(clock=lambda: 0.0), "building")
    assert re.search(r"0\.0s.*⠋.*building", shown)
    *_, last = shown.split("\x1b[2K")
    assert last == ""
    assert lines(shown)[0] == "  0.00s  building"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError()], ids=repr)
def test_whatever_ends_it_the_terminal_is_left_clean(terminal, error):
    def interrupted():
        with contextlib.suppress(KeyboardInterrupt, ValueError):
            working(Progress(), "building", error=error)
        echo("after", err=True)

    shown = terminal(80, interrupted)
    assert shown.endswith("\x1b[2Kafter\n")
    assert "\x1b[?25" not in shown  # whoever is killed or suspended leaves the cursor visible


def test_another_thread_does_not_draw(terminal):
    import threading  # noqa: PLC0415

    def work():
        thread = threading.Thread(target=working, args=(Progress(), "building"))
        thread.start()
        thread.join()

    assert "\x1b[2K" not in terminal(80, work)


@pytest.mark.parametrize("name", ["KN_LAMBDA_PLAIN", "TERM"])
def test_nothing_but_lines_of_text_goes_to_who_asks_for_them(
    on_terminal, fake_platform, tmp_path, monkeypatch, name
):
    monkeypatch.setenv(name, {"KN_LAMBDA_PLAIN": "1", "TERM": "dumb"}[name])
    monkeypatch.setenv("FORCE_COLOR", "1")
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / "main.py").write_text("def handler(event): ...\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "main.py").write_text("def handler(event): ...\n")
    fake_platform.finish("Ready")
    one, two = str(tmp_path / "hello"), str(tmp_path / "other")
    for arguments in (("deploy", one), ("deploy", one, two), ("list",), ("describe", "hello")):
        shown = on_terminal(*arguments)
        assert "\x1b" not in shown.stdout + shown.stderr
        assert re.search("[\u2500-\u28ff]", shown.stdout + shown.stderr) is None
    assert "sent default/hello" in on_terminal("deploy", one).stderr


@pytest.mark.parametrize(
    ("variables", "has_colour"),
    [
        ({}, (False, True)),
        ({"NO_COLOR": "1"}, (False, False)),
        ({"NO_COLOR": ""}, (False, True)),
        ({"FORCE_COLOR": "1"}, (True, True)),
        ({"FORCE_COLOR": "0"}, (False, True)),
        ({"CLICOLOR_FORCE": "1"}, (True, True)),
        ({"CLICOLOR": "0"}, (False, False)),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (False, False)),
        ({"FORCE_COLOR": "1", "KN_LAMBDA_PLAIN": "1"}, (False, False)),
    ],
    ids=str,
)
def test_colours_follow_the_conventions(terminal, monkeypatch, capsys, variables, has_colour):
    in_pipe, on_screen = has_colour
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    green = Styled("Ready", fg="green")
    echo(green)
    assert bool(_COLOUR.search(capsys.readouterr().out)) is in_pipe
    for call, *arguments in ((echo, green), (print_fields, [("Phase", green)])):
        assert bool(_COLOUR.search(terminal(80, call, *arguments))) is on_screen


def test_a_phase_has_a_colour_and_the_same_word(on_terminal, fake_platform):
    fake_platform.put_record(status=status(phase="Ready"))
    fake_platform.put_record("broken", status={"phase": "Failed"})
    shown = on_terminal("list").stdout
    assert re.search(r"\x1b\[32mReady *\x1b\[0m", shown)
    assert re.search(r"\x1b\[31mFailed *\x1b\[0m", shown)
    assert FakePlatform.url in shown


_PRINTS_TABLES = """
import sys
from kn_lambda.terminal.tables import print_fields, print_table
print_table(("name", "age"), [("a", "3d")])
print_fields([("Name", "a")])
"""
_SHOWS_PROGRESS = """
import sys
from kn_lambda.terminal.board import Board
from kn_lambda.terminal.progress import Progress
with Progress() as progress: progress.step("building")
with Board(["a", "b"]) as board: board.lanes["a"].step("building")
"""


@pytest.mark.parametrize(
    ("script", "is_terminal"),
    [(_PRINTS_TABLES, True), (_PRINTS_TABLES, False), (_SHOWS_PROGRESS, False)],
    ids=["tables on a terminal", "tables in a pipe", "progress in a pipe"],
)
def test_rich_is_loaded_only_for_what_needs_it(script, is_terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    script += "sys.exit('rich' in sys.modules)\n"
    with pseudo_terminal() as screen:
        stdout = screen.stream if is_terminal else subprocess.PIPE
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=stdout, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 0
