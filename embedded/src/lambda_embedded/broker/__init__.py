"""A durable Broker with Knative's guarantees, on one SQLite file.

What happens to an event, by folder: `receive` accepts it, `routing` finds its Triggers, `store`
keeps it with its deliveries, `deliver` sends it, and `report` shows what became of it. Other
packages need `Broker`, `BrokerSettings`, `create_server`, `UnknownBrokerError` and, to send events
themselves, `Sender` and its outcome `Failed`.
"""
