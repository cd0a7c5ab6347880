"""Events that come twice, at once or in the wrong order have the same outcome as on one machine."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.e2e.helpers.recorder import Recorder
    from tests.helpers.cluster import Cluster

VERSION = "def handler(event):\n    return {number}\n"
TIMES = 20


def version(number: int) -> dict[str, str]:
    return {"main.py": VERSION.replace("{number}", str(number))}


def test_one_request_delivered_twenty_times_makes_one_job_and_one_revision(
    cluster: Cluster, recorder: Recorder, unique_name: str
):
    once = {"id": uuid.uuid4().hex, "time": datetime.now(UTC).isoformat()}
    # Whatever installs packages has a Job.
    files = {**version(1), "requirements.txt": "h11==0.16.0\n"}

    with ThreadPoolExecutor(TIMES) as senders:
        answers = senders.map(
            lambda _: cluster.send_build_start(unique_name, files, **once).status, range(TIMES)
        )
        assert set(answers) == {202}

    cluster.await_phase(unique_name, "Ready")
    wait_for(lambda: "function.ready.v1" in recorder.types(unique_name))
    assert len(cluster.jobs_of(unique_name)) == 1
    path = "/apis/serving.knative.dev/v1/namespaces/default/revisions"
    revisions = cluster.api.list(path, **{"serving.knative.dev/service": unique_name})
    assert len(revisions) == 1
    assert cluster.call(unique_name).data == 1


def test_twenty_requests_at_once_end_with_the_newest(cluster: Cluster, unique_name: str):
    start = datetime.now(UTC)
    moments = [(number, start + timedelta(milliseconds=number)) for number in range(TIMES)]

    with ThreadPoolExecutor(TIMES) as senders:
        list(
            senders.map(
                lambda each: cluster.send_build_start(
                    unique_name, version(each[0] % 3), time=each[1].isoformat()
                ),
                moments,
            )
        )

    newest = (TIMES - 1) % 3
    wait_for(
        lambda: (
            cluster.phase(unique_name) == "Ready"
            and cluster.call(unique_name).body == str(newest).encode()
        ),
        within=180,
    )


def test_a_request_from_before_the_last_one_changes_nothing(
    cluster: Cluster, recorder: Recorder, unique_name: str
):
    cluster.send_build_start(unique_name, version(2))
    cluster.await_phase(unique_name, "Ready")

    older = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    cluster.send_build_start(unique_name, version(1), time=older)

    recorder.await_type(unique_name, "build.superseded.v1")
    assert cluster.call(unique_name).data == 2
