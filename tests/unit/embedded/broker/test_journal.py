"""What the journal shows and forgets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from knative_lambda.inbound.valid_event import create_event
from lambda_embedded.broker.deliver.outcome import Failed
from lambda_embedded.broker.report.journal import Journal
from lambda_embedded.broker.routing.route import read_trigger
from lambda_embedded.broker.settings import BrokerSettings
from lambda_embedded.broker.store.deliveries import DeliveryStore
from lambda_embedded.store.database import Database

ROUTE = read_trigger(
    {
        "metadata": {"namespace": "team", "name": "t", "uid": "u"},
        "spec": {"broker": "default", "subscriber": {"uri": "http://f"}},
    }
)


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "state.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def store(database):
    return DeliveryStore(database)


def insert(store, number, routes=(), **attributes):
    event = create_event(
        {
            "specversion": "1.0",
            "id": str(number),
            "source": "/s",
            "type": f"type{number % 2}",
            "subject": f"subject{number % 3}",
            "correlationid": f"c{number}",
            **attributes,
        },
        b'{"n":1}',
    )
    sequence = store.insert_event("team", "default", event, 255, None)
    return event, store.insert_deliveries(sequence, routes)


def ids(entries):
    return [int(entry["attributes"]["id"]) for entry in entries]


def test_events_are_found_by_their_attributes_newest_first(database, store):
    journal = Journal(database, BrokerSettings())
    for number in range(12):
        insert(store, number)

    assert ids(journal.events(3)) == [11, 10, 9]
    assert ids(journal.events(100, subject="subject1")) == [10, 7, 4, 1]
    assert ids(journal.events(100, subject="subject1", type="type0")) == [10, 4]
    assert ids(journal.events(100, correlation="c5")) == [5]
    assert ids(journal.events(0)) == []


def test_only_settled_events_are_forgotten_by_number(database, store):
    journal = Journal(database, BrokerSettings(events_kept=3))
    for number in range(10):
        insert(store, number, [ROUTE] if number < 2 else [])

    while journal.prune():
        pass

    assert ids(journal.events(100)) == [9, 8, 7, 1, 0]
    assert len(store.scheduled()) == 2


def test_settled_events_are_forgotten_by_age(database, store):
    journal = Journal(database, BrokerSettings(events_kept_for=timedelta(seconds=-1)))
    insert(store, 0, [ROUTE])
    insert(store, 1)

    journal.prune()

    assert ids(journal.events(100)) == [0]


def test_dead_letters_outlive_their_events_up_to_a_number(database, store):
    settings = BrokerSettings(events_kept=0, dead_letters_kept=2)
    journal = Journal(database, settings)
    for number in range(4):
        event, (scheduled,) = insert(store, number, [ROUTE])
        delivery = store.pending(scheduled.sequence)
        failure = Failed(422, "the subscriber responded with 422")
        store.insert_dead_letter(delivery, event, failure, None)
        store.finish(delivery, "dead", status=422, error=failure.error)

    while journal.prune():
        pass
    letters = journal.dead_letters(100)

    assert journal.events(100) == []
    assert [letter["event"]["id"] for letter in letters] == ["3", "2"]
    assert letters[0]["event"]["data"] == {"n": 1}
    assert letters[0]["trigger"] == "t"


def test_a_delivery_ends_once(store):
    _event, (scheduled,) = insert(store, 0, [ROUTE])
    delivery = store.pending(scheduled.sequence)

    assert store.finish(delivery, "delivered", status=204)
    assert not store.finish(delivery, "dead", status=500)
    assert store.pending(scheduled.sequence) is None


@pytest.mark.parametrize("column", ["subject", "type", "correlation"])
@pytest.mark.parametrize("table", ["broker_events", "broker_dead_letters"])
def test_looking_up_uses_an_index(database, store, table, column):
    plan = database.execute(
        f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = 'x'"
        " ORDER BY sequence DESC LIMIT 9"
    ).fetchall()

    assert [row["detail"] for row in plan] == [
        f"SEARCH {table} USING INDEX {table}_{column} ({column}=?)"
    ]
