"""How a deployment on the embedded platform is split, with a Job, without one, and for nothing."""

from __future__ import annotations

import pytest

from tests.bench.builds import (
    BUILD_COMPLETE,
    BUILD_PACKAGED,
    BUILD_START_SOURCE,
    BUILT,
    IN_REGISTRY,
    JOB,
    PACKAGED,
)
from tests.bench.deployments import PARTS, is_image_found, parts
from tests.helpers.lambda_platform import BUILD_START

READ, INSTALLED, PUBLISHED, READY, ANSWERED = PARTS
WITH_JOB = {JOB: 10.0, BUILT: 14.0, IN_REGISTRY: 16.0}


@pytest.mark.parametrize("packaged", [{}, {PACKAGED: 15.0}], ids=["two containers", "one"])
def test_a_job_has_every_part(packaged: dict[str, float]):
    found = parts(9.0, WITH_JOB | packaged, 19.0, 19.5, is_found=False)
    assert found == {READ: 1.0, INSTALLED: 4.0, PUBLISHED: 2.0, READY: 3.0, ANSWERED: 0.5}


def test_a_change_of_code_installs_nothing():
    found = parts(9.0, {PACKAGED: 9.5, IN_REGISTRY: 10.5}, 12.0, 12.5, is_found=False)
    assert found == {READ: 0.5, PUBLISHED: 1.0, READY: 1.5, ANSWERED: 0.5}


def test_an_image_that_is_there_is_not_published():
    found = parts(9.0, {IN_REGISTRY: 9.25}, 10.0, 10.5, is_found=True)
    assert found == {READ: 0.25, READY: 0.75, ANSWERED: 0.5}


@pytest.mark.parametrize("moments", [WITH_JOB, {PACKAGED: 9.5, IN_REGISTRY: 9.7}, {}])
def test_parts_add_up(moments: dict[str, float]):
    assert sum(parts(9.0, moments, 19.0, 19.5, is_found=False).values()) == pytest.approx(10.5)


@pytest.mark.parametrize(
    ("events", "is_found"),
    [
        ([(BUILD_START, "/cli"), (BUILD_COMPLETE, BUILD_START_SOURCE)], True),
        ([(BUILD_START, "/cli"), (BUILD_PACKAGED, BUILD_START_SOURCE)], False),
        (
            [(BUILD_PACKAGED, BUILD_START_SOURCE), (BUILD_COMPLETE, "/knative-lambda/publish")],
            False,
        ),
    ],
    ids=["by build-start", "with a Job", "by publish"],
)
def test_who_says_that_the_image_is_there_tells_whether_it_was(
    events: list[tuple[str, str]], is_found: bool
):
    named = [{"type": type_, "source": source} for type_, source in events]
    assert is_image_found(named) is is_found
