"""Options and markers that every level of tests shares."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.helpers.api_server import Binaries

# Their asserts show values, as those of test modules do.
_ROOT = Path(__file__).parents[1]
pytest.register_assert_rewrite(
    *(".".join(folder.relative_to(_ROOT).parts) for folder in _ROOT.glob("tests/**/helpers"))
)

# How long an example takes says something about the machine, which others use too.
hypothesis.settings.register_profile("default", deadline=None)


# A shell without job control starts what it puts into the background deaf to Ctrl-C, which a
# process passes on to its children: tests interrupt theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-servers",
        action="store_true",
        help="fail, instead of skip, where a server from a package registry is missing",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Pass on what was logged of any text: lone surrogates have no bytes for another process."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests skipped, one line per reason; `-rs` has a line for each test and reason."""
    reports = terminalreporter.getreports("skipped")
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in reports
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("skipped, and why")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:4} {reason}")


@pytest.fixture(scope="session")
def missing(request: pytest.FixtureRequest) -> Callable[[str], NoReturn]:
    """`missing("no kubectl here: ...")` skips a test.

    With --require-servers it fails the test, so that CI cannot pass by skipping.
    """

    def end(reason: str) -> NoReturn:
        if request.config.getoption("--require-servers"):
            pytest.fail(reason)
        pytest.skip(reason)

    return end


@pytest.fixture(scope="session")
def api_server_binaries(missing: Callable[[str], NoReturn]) -> Binaries:
    """etcd and kube-apiserver as the testbed builds them, or a skip as above."""
    from tests.helpers.api_server import Binaries  # noqa: PLC0415 # few need it

    found = Binaries.find()
    if isinstance(found, str):
        missing(found)
    return found


@pytest.fixture(scope="session")
def require_server(missing: Callable[[str], NoReturn]) -> Callable[[str, str], str]:
    """`require_server("skopeo", "apt-get install skopeo")` is the program's path, or a skip."""

    def find(program: str, how_to_get_it: str) -> str:
        path = shutil.which(program)
        if path is None:
            missing(f"{program} is not on this machine: {how_to_get_it}")
        return path

    return find
