"""The contract of the port BuildQueue."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

import pytest

from knative_lambda.adapters.kubernetes.client import JOBS, SECRETS
from knative_lambda.domain.build import BuildAccess, BuildFailure, JobState
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.packages import PackageIndex, PackageIndexes
from knative_lambda.domain.storage import Upload
from tests.contract.helpers.build_orders import HIDDEN, order
from tests.helpers.platforms import is_over

COMMON = PackageIndex(url="http://common/", credentials="of the common one")
OWN = PackageIndex(url="http://own/", credentials="its own")


def access(job, url="http://storage/context?signed"):
    upload = Upload(url="http://storage/", fields={"policy": HIDDEN})
    return BuildAccess(function=job.function, name=job.name, context_url=url, upload=upload)


def waiting(platform, name="hello"):
    """A build that waits, as the queue lists it."""
    job = platform.jobs.start(order(platform, name), waits=True)
    (found,) = [each for each in platform.queue.builds() if each.name == job.name]
    return found


def names(platform, **how):
    return {(each.function.name, each.waits) for each in platform.queue.builds(**how)}


def test_builds_that_wait_and_builds_that_run_are_there_with_what_orders_them(platform):
    job = platform.jobs.start(order(platform, "runs"))
    queued = waiting(platform, "waits")
    assert names(platform) == names(platform, exact=False) == {("runs", False), ("waits", True)}
    assert queued.function == FunctionId(platform.namespace, "waits")
    assert (queued.build_id, queued.request_id) == ("b" * 64, "2026/event-1")
    assert queued.created_at.tzinfo is not None
    assert job.state is JobState.RUNNING


def test_a_build_that_waits_is_neither_over_nor_about_to_start(platform):
    queued = waiting(platform)
    found = platform.jobs.get(queued.name)
    assert (found.state, found.has_ended) == (JobState.WAITING, False)
    assert platform.jobs.pending(queued.name) is None


def test_an_order_that_is_repeated_does_not_release_what_waits(platform):
    queued = waiting(platform)
    assert platform.jobs.start(order(platform)).state is JobState.WAITING
    assert platform.queue.builds() == [queued]


def test_a_build_that_ended_is_not_there(platform):
    good = platform.jobs.start(order(platform, "good")).name
    bad = platform.jobs.start(order(platform, "bad")).name
    platform.hands.succeed(good)
    platform.hands.fail(bad, BuildFailure(reason="No", message="no", is_users=True))
    assert is_over(platform, good)
    assert names(platform) == names(platform, exact=False) == set()


def test_a_build_that_is_released_runs(platform):
    queued = waiting(platform)
    assert platform.queue.release(queued, access(queued)) is True
    assert platform.jobs.get(queued.name).state is JobState.RUNNING
    assert names(platform) == {("hello", False)}


def test_a_build_is_released_once(platform):
    queued = waiting(platform)
    platform.queue.release(queued, access(queued))
    assert platform.queue.release(queued, access(queued)) is False


@pytest.mark.parametrize("act", ["release", "withdraw"])
def test_a_build_that_another_request_took_over_is_left_alone(platform, act):
    queued = waiting(platform)
    platform.jobs.start(order(platform, request_id="2027/event-2"))
    opened = [access(queued)] if act == "release" else []
    assert getattr(platform.queue, act)(queued, *opened) is False
    assert platform.jobs.get(queued.name).state is JobState.WAITING


def test_a_build_that_is_withdrawn_is_gone(platform):
    queued = waiting(platform)
    assert platform.queue.withdraw(queued) is True
    assert platform.queue.withdraw(queued) is False
    assert platform.queue.release(queued, access(queued)) is False
    assert platform.jobs.get(queued.name) is None


def secret(kubernetes, name):
    return kubernetes.hands.api.find(SECRETS, kubernetes.namespace, name)


def test_a_job_gets_its_secret_when_it_is_released(kubernetes):
    queued = waiting(kubernetes)
    assert kubernetes.hands.api.get(JOBS, kubernetes.namespace, queued.name)["spec"]["suspend"]
    assert secret(kubernetes, queued.name) is None
    kubernetes.queue.release(queued, access(queued))
    (owner,) = secret(kubernetes, queued.name)["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Job", queued.uid)


@pytest.mark.parametrize(
    ("now", "gets"), [(OWN, OWN.credentials), (replace(OWN, url="http://another/"), None)]
)
def test_a_job_that_is_released_gets_the_credentials_of_the_index_that_it_names(
    kubernetes, now, gets
):
    options = kubernetes.jobs.options

    def with_own(index):
        return replace(options, indexes=PackageIndexes(common=COMMON, own={"python": index}))

    platform = replace(
        kubernetes,
        jobs=replace(kubernetes.jobs, options=with_own(OWN)),
        queue=replace(kubernetes.queue, options=with_own(now)),
    )
    queued = waiting(platform)
    assert platform.queue.release(queued, access(queued)) is True
    told = secret(kubernetes, queued.name)["data"].get("PACKAGE_INDEX_CREDENTIALS")
    assert (told and b64decode(told).decode()) == gets


def test_urls_that_somebody_left_who_died_are_signed_again(kubernetes):
    queued = waiting(kubernetes)
    stale = kubernetes.queue
    stale._make_secret(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": queued.name, "namespace": kubernetes.namespace},
            "stringData": {"CONTEXT_URL": "http://storage/expired"},
        }
    )
    kubernetes.queue.release(queued, access(queued))
    assert "ownerReferences" in secret(kubernetes, queued.name)["metadata"]


def test_a_pod_that_just_ended_makes_room_before_its_job_says_so(kubernetes):
    """Kubernetes marks the Job as complete only two seconds later."""
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.run(job)
    kubernetes.hands.job_status(job, active=1)
    assert names(kubernetes) == {("hello", False)}
    other = kubernetes.jobs.start(order(kubernetes, "other")).name
    kubernetes.hands.pod(other, {"build": 0}, {})
    kubernetes.hands.job_status(other, active=1)
    assert names(kubernetes) == {("hello", False)}
    assert names(kubernetes, exact=False) == {("hello", False), ("other", False)}
