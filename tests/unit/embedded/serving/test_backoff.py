from __future__ import annotations

import pytest

from lambda_embedded.serving.pool.backoff import Backoff
from lambda_embedded.serving.settings import ServingSettings


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backoff(clock) -> Backoff:
    return Backoff(ServingSettings(), clock)


def test_nothing_waits_before_the_first_failure(backoff):
    assert backoff.remaining_seconds == 0


def test_each_failure_in_a_row_waits_twice_as_long_up_to_the_longest(backoff):
    waits = []
    for _ in range(12):
        backoff.failed()
        waits.append(round(backoff.remaining_seconds, 3))
    assert waits[:4] == [0.1, 0.2, 0.4, 0.8]
    assert waits[-1] == 10


def test_waiting_ends_by_the_clock(backoff, clock):
    backoff.failed()
    clock.now += 0.1
    assert backoff.remaining_seconds == 0


def test_a_process_that_settled_starts_the_count_anew(backoff):
    for _ in range(6):
        backoff.failed()
    assert backoff.is_looping
    backoff.failed(alive_seconds=11)
    assert not backoff.is_looping
    assert backoff.remaining_seconds == pytest.approx(0.1)


def test_a_thousand_failures_are_no_overflow(backoff):
    for _ in range(1000):
        backoff.failed()
    assert backoff.remaining_seconds == 10
