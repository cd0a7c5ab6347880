"""Functions of `(request, response)` are served as functions-framework serves them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.integration.runtimes.helpers.function_process import FunctionProcess
from tests.integration.runtimes.helpers.http_functions import BODIES, FILES, REQUESTS, Asked
from tests.integration.runtimes.helpers.node_packages import LOCKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.runtimes.helpers.function_process import Answer

    Functions = Callable[..., FunctionProcess]

# Of the connection and of the moment, not of the function.
PASSING = {"connection", "date", "keep-alive", "last-modified"}


class Pair(NamedTuple):
    """The same function under the framework and here."""

    theirs: FunctionProcess
    ours: FunctionProcess

    def asked(self, asked: Asked) -> tuple[Told, Told]:
        return _told(self.theirs, asked), _told(self.ours, asked)


@dataclass(frozen=True)
class Told:
    status: int
    headers: dict[str, str]
    body: bytes


def _told(process: FunctionProcess, asked: Asked) -> Told:
    answer: Answer = process.request(asked.method, asked.path, asked.body, asked.headers)
    headers = {name: value for name, value in answer.headers.items() if name not in PASSING}
    return Told(answer.status, headers, answer.body)


@pytest.fixture(scope="session")
def pairs(
    node_command: list[str],
    packages: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[int, bool], Pair]]:
    """`pairs(5, True)`: framework 5, and our server with that package beside the function."""
    running: dict[tuple[int, bool], FunctionProcess] = {}

    def start(version: int, *, theirs: bool, package: bool) -> FunctionProcess:
        root = tmp_path_factory.mktemp("function")
        (root / "source").mkdir()
        for name, text in FILES.items():
            (root / "source" / name).write_text(text)
            # It is told in answers.
            os.utime(root / "source" / name, (0, 0))
        if package:
            (root / "node_modules").symlink_to(packages(f"framework_{version}"))
        settings = {"FUNCTION_SIGNATURE": "http", "FUNCTION_HANDLER": "index.handler"}
        command = [node_command[0], str(LOCKS / "host.js")] if theirs else node_command
        return FunctionProcess(command, root, settings)

    def known(version: int, kind: str, *, package: bool = True) -> FunctionProcess:
        key = (version if package else 0, kind)
        if key not in running:
            running[key] = start(version, theirs=kind == "theirs", package=package)
            running[key].wait_until_ready("/text")
        return running[key]

    yield lambda version, package: Pair(
        known(version, "theirs"), known(version, "ours", package=package)
    )
    for process in running.values():
        process.close()


ASKED = {**BODIES, **REQUESTS}
# The newest has no body then, the others {}.
WITHOUT_BODY = {"no type"}


def asked(*leave_out: str) -> pytest.MarkDecorator:
    names = [name for name in ASKED if name not in leave_out]
    return pytest.mark.parametrize("asked", [ASKED[name] for name in names], ids=names)


@asked()
@pytest.mark.parametrize("version", [3, 5])
def test_with_the_package_every_answer_is_the_packages(
    pairs: Callable[..., Pair], version: int, asked: Asked
) -> None:
    theirs, ours = pairs(version, True).asked(asked)
    assert ours == theirs


@asked(*WITHOUT_BODY)
def test_without_the_package_every_answer_is_that_of_the_newest(
    pairs: Callable[..., Pair], asked: Asked
) -> None:
    theirs, ours = pairs(5, False).asked(asked)
    assert ours == theirs


@pytest.mark.parametrize(
    "asked",
    [BODIES["no type"], Asked("/body"), Asked("/query?a[]=1&b[c]=2&b[c]=3&d=4&d=5")],
    ids=["no type", "no body", "a nested query"],
)
def test_without_the_package_what_the_newest_left_out_is_there(
    pairs: Callable[..., Pair], asked: Asked
) -> None:
    theirs, ours = pairs(3, False).asked(asked)
    assert ours == theirs


@pytest.mark.parametrize(
    "asked",
    [
        Asked("/body", "POST", b"{", {"content-type": "application/json"}),
        Asked("/body", "POST", b'"text"', {"content-type": "application/json"}),
        Asked("/body", "POST", b"x", {"content-type": "text/plain", "content-encoding": "gzip"}),
        Asked("/body", "POST", b"x", {"content-type": "text/plain", "content-encoding": "odd"}),
        Asked("/body", "POST", b"x", {"content-type": "text/plain; charset=odd"}),
        Asked("/throws"),
        Asked("/rejects"),
    ],
    ids=["no JSON", "JSON of a text", "no gzip", "an encoding", "a charset", "throws", "rejects"],
)
@pytest.mark.parametrize("package", [True, False], ids=["with", "without"])
def test_what_fails_there_fails_here_with_the_same_status_and_our_body(
    pairs: Callable[..., Pair], package: bool, asked: Asked
) -> None:
    theirs, ours = pairs(5, package).asked(asked)
    assert ours.status == theirs.status
    reason = "InvalidBody" if ours.status < 500 else "HandlerFailed"
    assert json.loads(ours.body)["reason"] == reason
    assert b"12345" not in ours.body
