"""Attacks that a person can send fail for the reason that the documents state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.attacks import DEPLOYED_ATTACKS, RAN, REFUSED_REQUESTS
from tests.helpers.canaries import Canaries, files_below
from tests.helpers.workspaces import write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform


@pytest.mark.parametrize("name", DEPLOYED_ATTACKS)
def test_a_deployed_attack_fails_by_its_reason_and_runs_nothing(
    platform: EmbeddedPlatform, unique_name: str, tmp_path: Path, name: str
):
    attack = DEPLOYED_ATTACKS[name]
    folder = write_files(tmp_path / "source", attack.files)

    done = platform.kn_lambda(
        "deploy", folder, "--name", unique_name, "--runtime", attack.runtime, "-o", "json"
    )

    assert done.returncode == 1, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert (document["outcome"], document["reason"]) == ("failed", attack.reason), document
    platform.await_settled()
    # What would tell that it ran is in the source alone, and nobody printed it.
    logs = files_below(platform.home / "pods") if (platform.home / "pods").exists() else {}
    assert Canaries({"it ran": RAN}).found_in({"said": done.stdout + done.stderr, **logs}) == []


@pytest.mark.parametrize("name", REFUSED_REQUESTS)
def test_a_request_that_reaches_for_others_is_refused_and_recorded_nowhere(
    platform: EmbeddedPlatform, unique_name: str, name: str
):
    spec, words = REFUSED_REQUESTS[name]
    platform.send_build_start(unique_name, {"main.py": ""}, spec=spec)
    platform.await_settled()
    assert platform.record(unique_name) is None
    events = platform.list("/api/v1/namespaces/default/events")
    (told,) = [each for each in events if each["involvedObject"]["name"] == unique_name]
    assert words in told["message"], told
