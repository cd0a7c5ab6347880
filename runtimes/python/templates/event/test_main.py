from pathlib import Path

from cloudevents.http import CloudEvent, from_json

from main import handler

EVENT = Path(__file__).with_name("event.json")


def test_it_greets_whoever_the_event_names():
    assert handler(from_json(EVENT.read_bytes())) == {"message": "Hello, Ada!"}


def test_it_greets_the_world_if_the_event_names_nobody():
    event = CloudEvent({"type": "com.example.greeting.requested", "source": "/tests"})
    assert handler(event) == {"message": "Hello, World!"}
