"""The Secret of a build Job: what opens its objects, and who sees it."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace

import pytest

from knative_lambda.adapters.kubernetes.client import JOBS, PODS, SECRETS
from knative_lambda.domain.packages import PackageIndex, PackageIndexes
from tests.contract.helpers.build_orders import HIDDEN, order
from tests.helpers.platforms import eventually, is_over


def test_a_secret_of_the_job_has_what_opens_its_objects(kubernetes):
    of = order(kubernetes)
    job = kubernetes.jobs.start(of).name
    secret = kubernetes.hands.api.get(SECRETS, kubernetes.namespace, job)
    values = {name: b64decode(text).decode() for name, text in secret["data"].items()}
    assert values == {
        "CONTEXT_URL": of.context_url,
        "RESULT_URL": of.upload.url,
        "RESULT_FIELDS": json.dumps(of.upload.fields),
    }
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (
        owner["uid"] == kubernetes.hands.api.get(JOBS, kubernetes.namespace, job)["metadata"]["uid"]
    )


@pytest.mark.parametrize("request_id", ["2026/event-1", "2027/event-2"])
def test_a_start_that_was_cut_off_before_its_secret_is_finished_by_the_next(kubernetes, request_id):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.api.delete(SECRETS, kubernetes.namespace, job)
    kubernetes.jobs.start(order(kubernetes, request_id=request_id))
    assert kubernetes.hands.api.find(SECRETS, kubernetes.namespace, job) is not None


def test_a_start_that_is_repeated_leaves_the_secret_as_it_is(kubernetes):
    job = kubernetes.jobs.start(order(kubernetes)).name
    made = kubernetes.hands.api.get(SECRETS, kubernetes.namespace, job)
    kubernetes.jobs.start(order(kubernetes))
    assert kubernetes.hands.api.get(SECRETS, kubernetes.namespace, job) == made


def test_the_secret_of_a_job_that_is_gone_makes_room_for_that_of_the_next(kubernetes):
    job = kubernetes.jobs.start(order(kubernetes)).name
    of_the_first = kubernetes.hands.api.get(SECRETS, kubernetes.namespace, job)
    kubernetes.jobs.delete(job)
    eventually(lambda: kubernetes.jobs.get(job) is None)
    _make_again(kubernetes, of_the_first)
    kubernetes.jobs.start(order(kubernetes))
    secret = kubernetes.hands.api.get(SECRETS, kubernetes.namespace, job)
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (
        owner["uid"] == kubernetes.hands.api.get(JOBS, kubernetes.namespace, job)["metadata"]["uid"]
    )


def test_a_job_that_is_over_gets_no_secret_any_more(kubernetes):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.api.delete(SECRETS, kubernetes.namespace, job)
    kubernetes.hands.succeed(job)
    kubernetes.jobs.start(order(kubernetes))
    assert kubernetes.hands.api.find(SECRETS, kubernetes.namespace, job) is None


def test_the_secret_of_a_job_that_ended_can_go_before_the_job(kubernetes):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.run(job)
    kubernetes.jobs.close(job)
    assert kubernetes.hands.api.find(SECRETS, kubernetes.namespace, job) is not None
    kubernetes.hands.succeed(job)
    assert is_over(kubernetes, job)
    for _ in range(2):
        kubernetes.jobs.close(job)
        assert kubernetes.hands.api.find(SECRETS, kubernetes.namespace, job) is None
    assert kubernetes.jobs.get(job) is not None


def test_a_job_that_was_retried_meanwhile_or_is_gone_closes_no_other_s_secret(kubernetes):
    job = kubernetes.jobs.start(order(kubernetes)).name
    of_the_first = kubernetes.hands.api.get(SECRETS, kubernetes.namespace, job)
    kubernetes.jobs.delete(job)
    eventually(lambda: kubernetes.jobs.get(job) is None)
    kubernetes.jobs.close(job)
    _make_again(kubernetes, of_the_first)
    again = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.jobs.close(again)
    assert kubernetes.hands.api.find(SECRETS, kubernetes.namespace, again) is not None


def test_whoever_reads_jobs_pods_and_logs_reads_nothing_that_opens_storage_or_the_index(kubernetes):
    index = PackageIndex(url="http://index/", credentials=f'{{"a": "{HIDDEN}"}}')
    options = replace(kubernetes.jobs.options, indexes=PackageIndexes(common=index))
    job = replace(kubernetes.jobs, options=options).start(order(kubernetes)).name
    kubernetes.hands.run(job)
    api, namespace = kubernetes.hands.api, kubernetes.namespace
    seen = [*api.list(JOBS, namespace), *api.list(PODS, namespace)]
    assert len(seen) == 2
    assert HIDDEN not in json.dumps(seen)
    (secret,) = api.list(SECRETS, namespace)
    assert HIDDEN in b64decode(secret["data"]["PACKAGE_INDEX_CREDENTIALS"]).decode()


def _make_again(kubernetes, secret):
    """Nobody has collected it yet."""
    kubernetes.hands.api.delete(SECRETS, kubernetes.namespace, secret["metadata"]["name"])
    kept = ("name", "namespace", "ownerReferences")
    metadata = {name: secret["metadata"][name] for name in kept}
    kubernetes.hands.api.create(SECRETS, {**secret, "metadata": metadata})
