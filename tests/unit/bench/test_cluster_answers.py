"""Who answers on a cluster is the version that was deployed, or a poll goes on."""

from __future__ import annotations

import json

import pytest

from tests.bench.cluster.deploying import Lambda, is_answered_by
from tests.bench.functions import FIVE_WHEELS, WITHOUT_PACKAGES


class Lambdas:
    """Answers every event in the same way."""

    def __init__(self, status: int, answer: object) -> None:
        self._status, self._answer = status, json.dumps(answer).encode()

    def send_event(self, path: str, data: object, **attributes: str) -> tuple[int, bytes]:
        assert (path, attributes["source"] != "") == ("/", True), data
        return self._status, self._answer


@pytest.mark.parametrize("kind", [WITHOUT_PACKAGES, FIVE_WHEELS])
@pytest.mark.parametrize(
    ("status", "version", "is_answered"),
    [(200, 8, True), (200, 7, False), (200, None, False), (503, 8, False)],
    ids=["the new version", "the old version", "no version", "not yet"],
)
def test_only_the_version_that_was_deployed_counts(
    kind: str, status: int, version: int | None, is_answered: bool
):
    lambdas = Lambdas(status, {"total": "1", "version": version})

    assert is_answered_by(lambdas, Lambda("priced", kind, 8)) is is_answered
