"""Files of the Broker that an older platform wrote."""

from __future__ import annotations

from knative_lambda.inbound.valid_event import create_event
from lambda_embedded.broker.store.deliveries import DeliveryStore
from lambda_embedded.broker.store.tables import TABLES
from lambda_embedded.store.database import Database

EVENT = create_event({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"})


def test_events_of_before_are_there_and_new_ones_have_headers(tmp_path):
    database = Database(tmp_path / "state.sqlite")
    database.create(TABLES.replace(",\n    headers TEXT NOT NULL DEFAULT '{}'", ""))
    columns = "namespace, broker, type, attributes, ttl, accepted"
    database.execute(f"INSERT INTO broker_events ({columns}) VALUES ('n', 'b', 't', '{{}}', 1, 1)")

    store = DeliveryStore(database)
    store.insert_event("n", "b", EVENT, 255, None, headers={"traceparent": "x"})
    again = DeliveryStore(database)

    assert isinstance(again, DeliveryStore)
    rows = database.execute("SELECT headers FROM broker_events ORDER BY sequence")
    assert [row["headers"] for row in rows] == ["{}", '{"traceparent": "x"}']
    database.close()
