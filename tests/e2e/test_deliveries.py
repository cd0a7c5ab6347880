"""Each accepted event is processed once, as the Broker counts it; what can never work is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.helpers.broker_metrics import deliveries
from tests.helpers.http_client import post_event
from tests.helpers.lambda_platform import BUILD_START, DELETE
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections import Counter

    from tests.e2e.helpers.recorder import Recorder
    from tests.helpers.broker_metrics import Delivery
    from tests.helpers.cluster import Cluster

HELLO = "def handler(event):\n    return 'hello'\n"
# Whatever installs packages has a Job.
SMALL = "h11==0.16.0\n"


def since(before: Counter[Delivery], after: Counter[Delivery], subject: str) -> dict:
    """Deliveries of events about a lambda: Trigger and type -> answers -> how often."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (trigger, type_, about, status), count in (after - before).items():
        if about == subject and trigger != "recorder":
            found.setdefault((trigger, type_), {})[status] = count
    return found


def test_every_event_of_a_life_is_delivered_once(
    cluster: Cluster, recorder: Recorder, unique_name: str
):
    before = deliveries(cluster)
    subject = f"default/{unique_name}"

    cluster.send_build_start(unique_name, {"main.py": HELLO})
    recorder.await_type(unique_name, "function.ready.v1")
    cluster.send_build_start(unique_name, {"main.py": HELLO})
    recorder.await_type(unique_name, "build.complete.v1")
    wait_for(lambda: recorder.types(unique_name).count("function.ready.v1") == 2)
    cluster.send_delete(unique_name)
    recorder.await_type(unique_name, "function.deleted.v1")

    seen = since(before, deliveries(cluster), subject)
    assert seen[("build-start", BUILD_START)] == {"200": 2}
    # The second time the image is there: nothing is published.
    assert seen[("publish", "dev.knative-lambda.build.packaged.v1")] == {"200": 1}
    assert seen[("build-complete", "dev.knative-lambda.build.complete.v1")] == {"200": 2}
    # They wake at the request, and do nothing more.
    for woken in ("publish-wake", "build-complete-wake"):
        assert seen[(woken, BUILD_START)] == {"204": 2}
    assert seen[("delete", DELETE)] == {"200": 1}
    # Nothing was answered with what makes a Broker send again.
    assert {status for answers in seen.values() for status in answers} <= {"200", "204"}
    accepted = [event["attributes"]["id"] for event in recorder.events(subject=subject)]
    assert len(accepted) == len(set(accepted))


def test_no_job_event_had_to_be_sent_twice(cluster: Cluster, recorder: Recorder, unique_name: str):
    before = deliveries(cluster)
    cluster.send_build_start(unique_name, {"main.py": HELLO, "requirements.txt": SMALL})
    recorder.await_type(unique_name, "function.ready.v1")
    jobs = {job["metadata"]["name"] for job in cluster.jobs_of(unique_name)}

    def told() -> list[Delivery]:
        return [
            key
            for key in deliveries(cluster) - before
            if key[0] == "build-job-changed" and key[2].rpartition("/")[2] in jobs
        ]

    wait_for(told)
    assert {status for _, _, _, status in told()} <= {"200", "204"}


def test_an_event_that_can_never_work_is_tried_once_and_kept(cluster: Cluster, unique_name: str):
    before = deliveries(cluster)
    subject = f"default/{unique_name}"
    event_id = f"bad-{unique_name}"

    spec = {"runtime": "cobol", "source": {"inline": {"main.py": HELLO}}}
    answer = post_event(
        cluster.control_broker,
        spec,
        type=BUILD_START,
        id=event_id,
        subject=subject,
        time="2026-01-01T00:00:00Z",
    )

    assert answer.status == 202
    letter = wait_for(lambda: dead_letter(cluster, event_id))
    assert letter["type"] == BUILD_START
    assert "cobol" in json.dumps(letter)
    tried = since(before, deliveries(cluster), subject)[("build-start", BUILD_START)]
    assert sum(tried.values()) == 1
    assert cluster.record(unique_name) is None


def dead_letter(cluster: Cluster, event_id: str) -> dict | None:
    """What the dead-letter sink has kept of an event."""
    listed = cluster.storage.list_objects_v2(Bucket="knative-lambda", Prefix="dead-letters/")
    for item in listed.get("Contents", ()):
        body = cluster.storage.get_object(Bucket="knative-lambda", Key=item["Key"])["Body"].read()
        letter = json.loads(body)
        if letter["id"] == event_id:
            return letter
    return None
