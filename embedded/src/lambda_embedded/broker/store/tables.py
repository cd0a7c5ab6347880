"""The tables of the Broker: events, deliveries, dead letters."""

from __future__ import annotations

# Deliveries of one `lane` share a limit of concurrency. It is the uid of a Trigger, or "sink:" and
# the uid for deliveries to its dead letter sink.
TABLES = """
CREATE TABLE IF NOT EXISTS broker_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, namespace TEXT NOT NULL, broker TEXT NOT NULL,
    type TEXT NOT NULL, subject TEXT, correlation TEXT, attributes TEXT NOT NULL, data BLOB,
    ttl INTEGER NOT NULL, accepted REAL NOT NULL, dropped TEXT, settled REAL,
    headers TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS broker_events_subject ON broker_events (subject, sequence);
CREATE INDEX IF NOT EXISTS broker_events_type ON broker_events (type, sequence);
CREATE INDEX IF NOT EXISTS broker_events_correlation ON broker_events (correlation, sequence);
CREATE INDEX IF NOT EXISTS broker_events_settled ON broker_events (sequence)
    WHERE settled IS NOT NULL;
CREATE TABLE IF NOT EXISTS broker_deliveries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, event INTEGER NOT NULL, lane TEXT NOT NULL,
    trigger_namespace TEXT NOT NULL, trigger_name TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, status INTEGER, error TEXT,
    reply TEXT, dead_letter INTEGER, sink TEXT
);
CREATE INDEX IF NOT EXISTS broker_deliveries_event ON broker_deliveries (event);
CREATE INDEX IF NOT EXISTS broker_deliveries_pending ON broker_deliveries (lane)
    WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS broker_dead_letters (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, namespace TEXT NOT NULL, broker TEXT NOT NULL,
    trigger_name TEXT NOT NULL, type TEXT NOT NULL, subject TEXT, correlation TEXT,
    attributes TEXT NOT NULL, data BLOB, accepted REAL NOT NULL, died REAL NOT NULL,
    attempts INTEGER NOT NULL, status INTEGER, error TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS broker_dead_letters_subject ON broker_dead_letters (subject, sequence);
CREATE INDEX IF NOT EXISTS broker_dead_letters_type ON broker_dead_letters (type, sequence);
CREATE INDEX IF NOT EXISTS broker_dead_letters_correlation
    ON broker_dead_letters (correlation, sequence);
"""

# Older files lack this column.
ADD_HEADERS = "ALTER TABLE broker_events ADD COLUMN headers TEXT NOT NULL DEFAULT '{}'"

PENDING = """
SELECT d.sequence, d.event AS event_sequence, d.lane, d.trigger_namespace, d.trigger_name,
    d.attempts, d.sink, e.namespace, e.broker, e.ttl, e.accepted, e.headers,
    coalesce(l.attributes, e.attributes) AS attributes, coalesce(l.data, e.data) AS data
FROM broker_deliveries d JOIN broker_events e ON e.sequence = d.event
LEFT JOIN broker_dead_letters l ON l.sequence = d.dead_letter
WHERE d.sequence = ? AND d.state = 'pending'
"""
