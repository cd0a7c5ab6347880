"""Requests that pass validation, all the way through the use cases: never a 500."""

from __future__ import annotations

import json

from flask import Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from knative_lambda.domain.events import BUILD_START, DELETE, BuildStart
from knative_lambda.inbound.cloud_events import read_data, read_function
from knative_lambda.inbound.endpoint import Endpoint
from tests.helpers.control_plane import ControlPlane

text = st.text(st.characters(exclude_categories=()), max_size=20)
paths = st.lists(st.text("ab.\u00e4\U0001f600 ~", min_size=1, max_size=4), min_size=1, max_size=3)
sources = st.one_of(
    st.dictionaries(paths.map("/".join), text, min_size=1, max_size=4).map(
        lambda files: {"inline": files}
    ),
    text.map(lambda tail: {"uri": f"s3://sources/default/{tail}"}),
    st.just({"image": f"registry/x@sha256:{'d' * 64}"}),
)
specs = st.fixed_dictionaries(
    {"source": sources, "runtime": st.just("python3.11")},
    optional={
        "handler": text
        | st.sampled_from(["main.handler", "a/b.c.d", "main.h\u00e9", "." * 9, "main."]),
        "env": st.lists(
            st.fixed_dictionaries({"name": st.text("AB", min_size=1), "value": text}), max_size=2
        ),
        "subscriptions": st.lists(
            st.dictionaries(st.sampled_from(["type", "source"]), text, min_size=1), max_size=2
        ),
    },
)
# Subjects and what they are made of, so that some name a lambda.
names = st.text("ab-1", min_size=1, max_size=50)
subjects = st.one_of(st.just("default/hello"), st.tuples(names, names).map("/".join), names, text)
times = st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat())
ids = st.text(st.characters(exclude_categories=()), min_size=1, max_size=30)


def endpoint(world):
    def start(event):
        return world.start_build(event, read_function(event), read_data(event, BuildStart))

    def delete(event):
        return world.delete_lambda(event, read_function(event))

    return Endpoint(source="/test", handlers=lambda: {BUILD_START: start, DELETE: delete})


def send(target, event_type, data, **attributes):
    event = {"specversion": "1.0", "source": "/t", "type": event_type, "subject": "default/hello"}
    body = json.dumps(event | attributes | {"data": data})
    headers = {"Content-Type": "application/cloudevents+json"}
    builder = EnvironBuilder(method="POST", headers=headers, data=body)
    try:
        return int(target(Request(builder.get_environ()))[1])
    finally:
        builder.close()


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    deliveries=st.lists(st.tuples(st.none() | specs, times, ids, subjects), min_size=1, max_size=4)
)
def test_any_sequence_of_requests_and_deletions_is_answered(deliveries):
    world = ControlPlane()
    target = endpoint(world)
    for spec, time, id_, subject in deliveries:
        kind = DELETE if spec is None else BUILD_START
        answer = send(target, kind, spec or {}, time=time, id=id_, subject=subject)
        assert answer in {200, 400, 422}


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(spec=specs)
def test_an_accepted_request_is_deployed_as_it_was_sent(spec):
    world = ControlPlane()
    now = world.clock.now().isoformat()
    if send(endpoint(world), BUILD_START, spec, time=now, id="1") != 200:
        return
    for job in list(world.jobs.list()):
        world.finish(job.name)
        world.job_changed(job.name)
    sent = BuildStart.model_validate(spec)
    assert world.record.spec.source == sent.source
    assert world.record.spec.env == sent.env
