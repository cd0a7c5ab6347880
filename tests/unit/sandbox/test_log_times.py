"""Logs know when each line was written, and by which process, and stay within their limit."""

from __future__ import annotations

import time

import pytest

from lambda_embedded.api.logs.pod_logs import LogChoice, PodLogs
from lambda_sandbox.log_file import RotatingLog

SECOND = 1_000_000_000


@pytest.fixture
def clock(monkeypatch):
    """The time in seconds, which a test moves on."""
    now = [100]
    monkeypatch.setattr(time, "time_ns", lambda: now[0] * SECOND)
    return now


@pytest.fixture
def path(tmp_path):
    return tmp_path / "n" / "p" / "c.log"


@pytest.fixture
def open_log(path):
    """Open the log as for a new process; all are closed at the end."""
    logs = []

    def start(limit_bytes):
        logs.append(RotatingLog(path, limit_bytes=limit_bytes))
        return logs[-1]

    yield start
    for log in logs:
        log.close()


def _tail(tmp_path, **choice):
    return PodLogs(tmp_path).tail("n", "p", "c", LogChoice(**choice)).decode()


def test_a_line_has_the_time_at_which_it_began(tmp_path, path, open_log, clock):
    log = open_log(1000)
    log.write(b"one\ntwo")
    clock[0] += 10
    log.write(b" more\nthree\n")
    assert _tail(tmp_path, stamped=True) == (
        "1970-01-01T00:01:40.000000000Z one\n"
        "1970-01-01T00:01:40.000000000Z two more\n"
        "1970-01-01T00:01:50.000000000Z three\n"
    )
    assert _tail(tmp_path, since=105 * SECOND) == "three\n"
    assert _tail(tmp_path, since=111 * SECOND) == ""
    assert _tail(tmp_path, since=100 * SECOND, lines=2) == "two more\nthree\n"


def test_times_and_processes_outlive_a_rotation(tmp_path, path, open_log, clock):
    log = open_log(80)
    for number in range(4):
        clock[0] += 1
        log.write(b"%d" % number + b"." * 20 + b"\n")
    assert (tmp_path / "n" / "p" / "c.log.1").exists()
    first, *_ = _tail(tmp_path, stamped=True).splitlines()
    assert first.startswith("1970-01-01T00:01:")
    assert [line[0] for line in _tail(tmp_path, since=104 * SECOND).splitlines()] == ["3"]


def test_each_process_has_its_own_lines(tmp_path, path, open_log, clock):
    for name in (b"first\n", b"second\n", b"third"):
        log = open_log(1000)
        log.write(name)
        log.close()
    assert PodLogs(tmp_path).processes("n", "p", "c") == [False, True, True, True]
    assert _tail(tmp_path, process=2) == "second\n"
    assert _tail(tmp_path) == "first\nsecond\nthird"


def test_a_log_from_before_times_were_kept_has_that_of_its_last_change(tmp_path, path):
    path.parent.mkdir(parents=True)
    path.write_text("old\n")
    assert _tail(tmp_path, since=time.time_ns() - 60 * SECOND) == "old\n"
    assert _tail(tmp_path, since=time.time_ns() + 60 * SECOND) == ""


def test_a_record_that_was_cut_off_is_passed_over(tmp_path, path, open_log):
    log = open_log(1000)
    log.write(b"one\n")
    with path.with_name("c.log.times").open("ab") as file:
        file.write(b"\xff" * 5)
    assert _tail(tmp_path) == "one\n"


def test_single_bytes_do_not_grow_the_times_beyond_the_limit(path, open_log, clock):
    log = open_log(1000)
    for _ in range(2000):
        clock[0] += 1
        log.write(b"x")
    files = list(path.parent.iterdir())
    assert sum(file.stat().st_size for file in files) <= 2 * 1000
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)


def test_what_is_written_at_once_has_one_record(path, open_log, clock):
    log = open_log(100_000)
    for _ in range(1000):
        log.write(b"x\n")
    assert path.with_name("c.log.times").stat().st_size < 100


@pytest.mark.parametrize("lines", [0, 1, 2, 3, 4, 10**18])
@pytest.mark.parametrize("text", ["a\nb\nc\n", "a\nb\nc", "\n\n\n", "", "a"])
def test_the_last_lines_are_those_that_python_finds(tmp_path, path, text, lines):
    path.parent.mkdir(parents=True)
    path.write_text(text)
    every = text.splitlines(keepends=True)
    assert _tail(tmp_path, lines=lines) == "".join(every[max(0, len(every) - lines) :])


def test_a_log_of_many_short_lines_is_not_stamped_without_bound(tmp_path, path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\n" * 300_000)
    assert _tail(tmp_path, stamped=True).count("\n") == 100_000
