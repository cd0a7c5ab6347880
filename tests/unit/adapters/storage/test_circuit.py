from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO

import pytest

from knative_lambda.adapters.storage.circuit import Circuit, CircuitRules, CircuitState
from knative_lambda.adapters.storage.circuit_breaker import CircuitBreakerStorage, is_outage
from knative_lambda.adapters.storage.errors import StorageAccessDeniedError
from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceNotFoundError,
    StorageUnavailableError,
    ThrottledError,
)
from tests.helpers.fakes import InMemoryObjectStorage

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN
OUTAGE = StorageUnavailableError("down")


@dataclass
class Bench:
    """A circuit with a clock that the test moves and a list of what the hook was told."""

    now: float = 100.0
    changes: list[tuple[str, CircuitState, CircuitState]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.circuit = Circuit(
            "storage.example",
            is_failure=is_outage,
            rules=CircuitRules(
                failures_to_open=3,
                open_for=timedelta(seconds=30),
                monotonic=lambda: self.now,
                on_state_change=lambda *change: self.changes.append(change),
            ),
        )

    def call(self, error: BaseException | None = None) -> None:
        with suppress(type(error) if error else ()), self.circuit.call():
            if error:
                raise error

    def open(self) -> None:
        for _ in range(3):
            self.call(OUTAGE)


@pytest.fixture
def bench():
    return Bench()


def test_it_opens_after_so_many_outages_in_a_row(bench):
    bench.call(OUTAGE)
    bench.call(OUTAGE)
    assert bench.circuit.state is CLOSED
    bench.call(OUTAGE)
    assert bench.changes == [("storage.example", CLOSED, OPEN)]


def test_operators_read_in_the_log_that_it_opened(caplog):
    circuit = Circuit("storage.example", is_failure=is_outage, rules=CircuitRules())
    for _ in range(5):
        with suppress(StorageUnavailableError), circuit.call():
            raise OUTAGE
    assert caplog.messages == ["the circuit of storage.example was closed and is open"]


def test_a_success_starts_the_count_again(bench):
    for error in (OUTAGE, OUTAGE, None, OUTAGE, OUTAGE):
        bench.call(error)
    assert bench.circuit.state is CLOSED


@pytest.mark.parametrize(
    "answer",
    [
        SourceNotFoundError("none"),
        LimitExceededError("large"),
        StorageAccessDeniedError("closed"),
        ThrottledError("slow", retry_after=timedelta(seconds=1)),
    ],
    ids=lambda error: error.reason,
)
def test_an_answer_that_is_no_outage_does_not_count(bench, answer):
    for error in [answer] * 5 + [OUTAGE, OUTAGE, answer, OUTAGE]:
        bench.call(error)
    assert bench.changes == []


def test_an_open_circuit_refuses_and_tells_how_long(bench):
    bench.open()
    bench.now += 12
    with pytest.raises(ThrottledError) as caught, bench.circuit.call():
        pytest.fail("storage was touched")
    assert caught.value.retry_after == timedelta(seconds=18)


def test_a_probe_that_succeeds_closes_it(bench):
    bench.open()
    bench.now += 30
    bench.call()
    bench.call()
    assert [change[1:] for change in bench.changes] == [
        (CLOSED, OPEN),
        (OPEN, HALF_OPEN),
        (HALF_OPEN, CLOSED),
    ]


def test_a_probe_that_fails_opens_it_for_the_whole_time_again(bench):
    bench.open()
    bench.now += 31
    bench.call(OUTAGE)
    assert bench.circuit.state is OPEN
    bench.now += 29
    with pytest.raises(ThrottledError), bench.circuit.call():
        pytest.fail("storage was touched")


def test_a_probe_that_proves_nothing_lets_the_next_one_try(bench):
    bench.open()
    bench.now += 30
    bench.call(ZeroDivisionError())
    assert bench.circuit.state is HALF_OPEN
    bench.call()
    assert bench.circuit.state is CLOSED


def test_an_answer_from_before_the_change_moves_nothing(bench):
    with bench.circuit.call():
        bench.open()
    assert bench.circuit.state is OPEN


def test_one_thread_at_a_time_may_probe(bench):
    bench.open()
    bench.now += 30
    probing, finish = threading.Event(), threading.Event()

    def probe():
        with bench.circuit.call():
            probing.set()
            finish.wait(10)

    thread = threading.Thread(target=probe)
    thread.start()
    assert probing.wait(10)
    with pytest.raises(ThrottledError) as caught, bench.circuit.call():
        pytest.fail("storage was touched")
    assert caught.value.retry_after > timedelta()
    finish.set()
    thread.join()
    assert bench.circuit.state is CLOSED


class BreakingOff(InMemoryObjectStorage):
    """Lists one object, then fails."""

    def list(self, prefix, *, limit):
        yield from InMemoryObjectStorage.list(self, prefix, limit=limit)
        raise OUTAGE


@pytest.fixture
def storage(bench):
    inner = BreakingOff()
    inner.write("s3://bucket/in/a", BytesIO(b"x"))
    return CircuitBreakerStorage(storage=inner, circuit=bench.circuit)


def test_a_list_that_breaks_off_counts(bench, storage):
    for _ in range(3):
        with pytest.raises(StorageUnavailableError):
            list(storage.list("s3://bucket/in/", limit=10))
        # The first object proved that storage answers, so no run of failures builds up over lists.
    assert bench.circuit.state is CLOSED
    lists = [storage.list("s3://bucket/in/", limit=10) for _ in range(4)]
    for found in lists:
        next(found)
    for found in lists[:3]:
        with pytest.raises(StorageUnavailableError):
            next(found)
    assert bench.circuit.state is OPEN
    with pytest.raises(ThrottledError):
        next(lists[3])


def test_a_download_url_is_made_while_the_circuit_is_open(bench, storage):
    bench.open()
    assert storage.download_url("s3://bucket/a", expires_in=timedelta(minutes=1))
    assert bench.circuit.state is OPEN


def test_an_abandoned_list_gives_the_probe_back(bench, storage):
    bench.open()
    bench.now += 30
    next(storage.list("s3://bucket/in/", limit=10))
    storage.describe("s3://bucket/in/a")
    assert bench.circuit.state is CLOSED
