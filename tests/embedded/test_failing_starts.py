"""A function that does not start is told at once, by its own last words, whatever it dies of.

No time-out of the platform passes: they are longer than these tests wait.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.broken_functions import BROKEN_FUNCTIONS, WORKING_FUNCTIONS
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform


def deploy_broken(platform: EmbeddedPlatform, kind: str, folder: Path, name: str):
    """Return what a person reads on stderr, and what a program reads on stdout."""
    broken = BROKEN_FUNCTIONS[kind]
    options = ("--name", name, "--runtime", broken.language, "--timeout", "50s", "-o", "json")
    done = platform.kn_lambda("deploy", broken.write(folder), *options)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr, json.loads(done.stdout)


@pytest.mark.parametrize("kind", BROKEN_FUNCTIONS)
def test_a_first_version_that_does_not_start_is_told_once_and_at_once(
    patient_platform: EmbeddedPlatform, tmp_path: Path, unique_name: str, kind: str
):
    said, document = deploy_broken(patient_platform, kind, tmp_path / "source", unique_name)

    expected = BROKEN_FUNCTIONS[kind].said
    assert expected in document["message"]
    assert said.count(document["message"].strip()) == 1
    assert "will retry" not in said
    assert patient_platform.phase(unique_name) == "Failed"
    (failed,) = wait_for(lambda: ends(patient_platform, unique_name))
    assert failed["attributes"]["type"].endswith("build.failed.v1")
    assert failed["attributes"]["subject"] == f"default/{unique_name}"


@pytest.fixture(scope="session")
def serving(
    patient_platform: EmbeddedPlatform, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """A lambda of each language that works, by language."""
    names = {language: f"serving-{language}" for language in WORKING_FUNCTIONS}
    for language, name in names.items():
        folder = WORKING_FUNCTIONS[language].write(tmp_path_factory.mktemp("serving") / "source")
        patient_platform.deploy(folder, "--name", name, "--runtime", language)
    return names


# One of each way to end: what differs from a first version is what the platform does, not how.
UPDATES = (
    "python no module", "python raise", "python no handler", "python exit with 3", "python killed",
    "node no module", "node rejects", "node no handler", "node exit with 7", "node killed",
)  # fmt: skip


@pytest.mark.parametrize("kind", UPDATES)
def test_an_update_that_does_not_start_is_told_once_and_at_once_and_the_old_version_serves(
    patient_platform: EmbeddedPlatform, serving, tmp_path: Path, kind: str
):
    name = serving[BROKEN_FUNCTIONS[kind].language]
    said, document = deploy_broken(patient_platform, kind, tmp_path / "source", name)

    assert BROKEN_FUNCTIONS[kind].said in document["message"]
    assert said.count(document["message"].strip()) == 1
    assert "will retry" not in said
    assert "The previous revision still serves requests" in said
    assert patient_platform.kn_lambda("invoke", name).stdout == '"hello"\n'


def ends(platform: EmbeddedPlatform, name: str) -> list[dict]:
    """What was told of the end of a request."""
    told = ("build.failed.v1", "function.ready.v1")
    events = platform.events(subject=f"default/{name}")
    return [event for event in events if event["attributes"]["type"].endswith(told)]
