"""The functions that are deployed say which version they are."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.bench.functions import FIVE_WHEELS, WITHOUT_PACKAGES, event, source, version_of

if TYPE_CHECKING:
    from pathlib import Path

# orjson is one of the five wheels, and nothing else here needs it.
_PROGRAM = """
import json, sys, types
dumps = lambda data: json.dumps(data, default=str).encode()
sys.modules["orjson"] = types.SimpleNamespace(dumps=dumps)
sys.path.insert(0, sys.argv[1])
from cloudevents.http import CloudEvent
import main
answer = main.handler(CloudEvent(*json.load(sys.stdin)))
print(json.dumps(answer) if isinstance(answer, dict) else answer.data.decode())
"""


def answer_of(folder: Path, kind: str, version: int) -> bytes:
    for name, text in source(kind, version).items():
        file = folder / str(version) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    data, attributes = event(kind)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(folder / str(version))],
        input=json.dumps([attributes, data]).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("kind", [WITHOUT_PACKAGES, FIVE_WHEELS])
def test_an_answer_names_the_version_that_was_deployed(kind: str, tmp_path: Path):
    assert [version_of(answer_of(tmp_path, kind, version)) for version in (7, 8)] == [7, 8]


def test_five_wheels_still_do_their_work(tmp_path: Path):
    assert json.loads(answer_of(tmp_path, FIVE_WHEELS, 7))["customer"] == "Ada"


@pytest.mark.parametrize("body", [b"", b"ok", b"[]", b"{}", b"\xff"])
def test_any_other_answer_names_none(body: bytes):
    assert version_of(body) is None


def test_a_change_of_code_leaves_the_packages_alone():
    first, second = (source(FIVE_WHEELS, version) for version in (7, 8))
    assert {name for name in first if first[name] != second[name]} == {"main.py"}
