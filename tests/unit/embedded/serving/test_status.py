from __future__ import annotations

import pytest

from lambda_embedded.serving.services.status import ServiceState, condition, service_status

SERVICE = {"metadata": {"generation": 3}}


def conditions(status) -> dict[str, str]:
    return {item["type"]: item["status"] for item in status["conditions"]}


@pytest.mark.parametrize(
    ("ready", "failure", "expected"),
    [
        ("a-00002", None, ("True", "True", "True")),
        ("a-00001", None, ("Unknown", "True", "Unknown")),
        (None, None, ("Unknown", "Unknown", "Unknown")),
        ("a-00001", "no", ("False", "True", "False")),
        (None, "no", ("False", "False", "False")),
    ],
)
def test_conditions_say_what_serves_and_what_failed(ready, failure, expected):
    state = ServiceState(url="http://x", created="a-00002", ready=ready, failure=failure)
    found = conditions(service_status(SERVICE, state))
    assert (found["ConfigurationsReady"], found["RoutesReady"], found["Ready"]) == expected


def test_the_time_of_a_condition_stays_until_its_status_changes():
    state = ServiceState(url="http://x", created="a-00001", ready="a-00001")
    status = service_status(SERVICE, state)
    for item in status["conditions"]:
        item["lastTransitionTime"] = "2001-01-01T00:00:00Z"
    again = service_status({**SERVICE, "status": status}, state)
    assert {item["lastTransitionTime"] for item in again["conditions"]} == {"2001-01-01T00:00:00Z"}
    failed = ServiceState(url="http://x", created="a-00002", ready="a-00001", failure="no")
    times = {
        item["type"]: item["lastTransitionTime"]
        for item in service_status({**SERVICE, "status": status}, failed)["conditions"]
    }
    assert times["RoutesReady"] == "2001-01-01T00:00:00Z"
    assert times["Ready"] != "2001-01-01T00:00:00Z"


def test_a_long_message_keeps_its_beginning_and_its_end():
    message = condition("False", "R", "first words " + "é" * 5000 + " last words")["message"]
    assert len(message.encode()) <= 1024
    assert message.startswith("first words")
    assert message.endswith("last words")
