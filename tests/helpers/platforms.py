"""The ports that live in Kubernetes, on fakes and on any Kubernetes API.

A platform's `hands` do what a kubelet, the Job controller and Knative do: they say how it went.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
from knative_lambda.adapters.kubernetes.build_queue import KubernetesBuildQueue
from knative_lambda.adapters.kubernetes.client import (
    EVENTS,
    JOBS,
    PODS,
    SERVICES,
    TRIGGERS,
    KubernetesApi,
)
from knative_lambda.adapters.kubernetes.event_recorder import KubernetesEventRecorder
from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
from knative_lambda.adapters.kubernetes.services import KubernetesLambdaServices
from knative_lambda.domain.build import BuildFailure, JobState
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.manifests.build_job import BuildJobOptions
from tests.helpers.fakes_platform import (
    FixedClock,
    InMemoryBuildJobs,
    InMemoryBuildQueue,
    InMemoryEventRecorder,
    InMemoryLambdaFunctions,
    InMemoryLambdaServices,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from knative_lambda.domain.deployment import Deployment
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import (
        BuildJobs,
        BuildQueue,
        EventRecorder,
        LambdaFunctions,
        LambdaServices,
    )

CONTAINERS = ("build", "publish")
"""In the order in which they run; Jobs of today have but the first."""
_LAMBDA_CONTAINER = {"name": "user-container", "image": "i"}
_REPLICA_SET = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "name": "one-of-a-cluster",
    "uid": "5d0ee2ab-ae4a-43a8-a3a2-2d8e8a8f5a3b",
    "controller": True,
}


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The four ports of one world, a namespace in it, and the hands of everybody else."""

    namespace: str
    records: LambdaFunctions
    jobs: BuildJobs
    queue: BuildQueue
    services: LambdaServices
    event_recorder: EventRecorder
    hands: FakeHands | KubernetesHands


def eventually(condition: Callable[[], Any]) -> None:
    """Wait for what a controller does in its own time."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def fake_platform() -> Platform:
    """Everything in memory."""
    jobs = InMemoryBuildJobs(FixedClock())
    services = InMemoryLambdaServices(outcome=ServiceState(ready=False))
    event_recorder = InMemoryEventRecorder()
    return Platform(
        namespace="default",
        records=InMemoryLambdaFunctions(),
        jobs=jobs,
        queue=InMemoryBuildQueue(jobs),
        services=services,
        event_recorder=event_recorder,
        hands=FakeHands(jobs, services, event_recorder),
    )


class FakeHands:
    """Changes the fakes directly."""

    def __init__(
        self,
        jobs: InMemoryBuildJobs,
        services: InMemoryLambdaServices,
        event_recorder: InMemoryEventRecorder,
    ) -> None:
        self.jobs = jobs
        self.services = services
        self.event_recorder = event_recorder

    def succeed(self, job: str, *, pinned: bool = False) -> None:
        """Let a build end well."""
        self.jobs.succeed(job, pinned=pinned)

    def fail(self, job: str, failure: BuildFailure) -> None:
        """Let a build end badly."""
        self.jobs.fail(job, failure)

    def wait_for_a_node(self, job: str, message: str) -> None:
        """Let the scheduler find no place for the build's Pod."""
        failure = BuildFailure(reason="BuildNotScheduled", message=message, is_users=False)
        self.jobs.wait(job, failure)

    def run(self, job: str) -> None:
        """Let the build's first container run."""
        self.jobs.run(job)

    def log(self, job: str, texts: dict[str, str]) -> None:
        """What its containers wrote."""
        self.jobs.logs[job] = "".join(texts[name] for name in CONTAINERS if name in texts)

    def become(self, deployment: Deployment, state: ServiceState) -> None:
        """Let Knative say what became of a Service."""
        self.services.outcome = state

    def subscriptions(self, function: FunctionId) -> list[dict[str, str]]:
        """What the Broker sends the lambda."""
        deployment = self.services.deployments.get(function)
        return deployment.spec.subscriptions if deployment else []

    def told(self, function: FunctionId) -> list[tuple[str, str]]:
        """Reason and message of each rejection."""
        return [
            (error.reason, f"{error.field}: {error.message}" if error.field else error.message)
            for (of, _, _), error in self.event_recorder.told.items()
            if of == function
        ]


def kubernetes_platform(
    kubeconfig: Path, write_log: Callable[[str, str, str, str], None]
) -> Platform:
    """A new namespace of a Kubernetes API; `write_log` takes namespace, pod, container and text."""
    api = KubernetesApi(kubeconfig=str(kubeconfig))
    namespace = f"test-{uuid.uuid4().hex[:10]}"
    api._json("POST", "/api/v1/namespaces", body={"metadata": {"name": namespace}})
    options = BuildJobOptions(
        namespace=namespace,
        build_job_image="registry/builder",
        runtimes_dir="/runtimes",
        timeout=timedelta(minutes=10),
        context_max_bytes=1,
        unpacked_max_bytes=1,
        max_files=1,
        packages_max_bytes=1,
    )
    return Platform(
        namespace=namespace,
        records=KubernetesLambdaFunctions(api=api),
        jobs=KubernetesBuildJobs(api=api, namespace=namespace, options=options),
        queue=KubernetesBuildQueue(api=api, options=options),
        services=KubernetesLambdaServices(api=api),
        event_recorder=KubernetesEventRecorder(api=api),
        hands=KubernetesHands(api, namespace, write_log),
    )


class KubernetesHands:
    """Writes the status that controllers write, in the shape that kube-apiserver takes."""

    def __init__(
        self, api: KubernetesApi, namespace: str, write_log: Callable[[str, str, str, str], None]
    ) -> None:
        self.api = api
        self.namespace = namespace
        self.write_log = write_log

    def close(self) -> None:
        """Close connections, which the tests' warnings insist on."""
        self.api.close()

    def succeed(self, job: str, *, pinned: bool = False) -> None:
        """Let the container of a build end well."""
        self.pod(job, {"build": 0}, {"build": f'{{"pinned": {json.dumps(pinned)}}}'})
        self.complete(job)

    def complete(self, job: str) -> None:
        """Write what the Job controller says of a Job whose Pod ended well."""
        now = _now()
        done = {"startTime": now, "completionTime": now, "succeeded": 1}
        self.end(job, ("SuccessCriteriaMet", "Complete"), "CompletionsReached", done)

    def fail(self, job: str, failure: BuildFailure) -> None:
        """Let the first container end with a termination message."""
        message = f'{{"reason": "{failure.reason}", "message": "{failure.message}"}}'
        code = 1 if failure.is_users else 75
        self.pod(job, {"build": code}, {"build": message})
        self.end(job, ("FailureTarget", "Failed"), "PodFailurePolicy", {"startTime": _now()})

    def wait_for_a_node(self, job: str, message: str) -> None:
        """Make a Pod as a scheduler leaves it that finds no node."""
        scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        status = {"phase": "Pending", "conditions": [scheduled | {"message": message}]}
        self.pod_with_status(job, status)

    def run(self, job: str) -> None:
        """Make a Pod whose container runs."""
        running = {"running": {"startedAt": _now()}}
        self.pod_with_status(job, {"phase": "Running", **statuses({"build": running})})

    def pod(self, job: str, exit_codes: dict[str, int], messages: dict[str, str]) -> str:
        """Make the Job's Pod as its controller and kubelet would; its name."""
        ended = {
            step: {
                "terminated": {
                    "exitCode": code,
                    "message": messages.get(step, ""),
                    "reason": "",
                }
            }
            for step, code in exit_codes.items()
        }
        phase = "Failed" if any(exit_codes.values()) else "Succeeded"
        return self.pod_with_status(job, {"phase": phase, **statuses(ended)})

    def pod_with_status(self, job: str, status: dict[str, Any]) -> str:
        """Make the Job's Pod and say how it is; its name."""
        item = self.api.get(JOBS, self.namespace, job)
        template = item["spec"]["template"]
        name = f"{job[:50]}-{uuid.uuid4().hex[:5]}"
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "controller": True}
        metadata = {
            "name": name,
            "namespace": self.namespace,
            "labels": template["metadata"]["labels"] | {"job-name": job},
            "ownerReferences": [owner | {"uid": item["metadata"]["uid"]}],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        stored = self.api.create(PODS, pod)
        stored["status"] = status
        self.api.replace(PODS, stored, subresource="status")
        return name

    def job_status(self, job: str, **status: Any) -> None:
        """Write what the Job controller says while a Job goes on."""
        item = self.api.get(JOBS, self.namespace, job)
        item["status"] = {"startTime": _now(), "uncountedTerminatedPods": {}} | status
        self.api.replace(JOBS, item, subresource="status")

    def end(self, job: str, types: tuple[str, ...], reason: str, status: dict[str, Any]) -> None:
        """Write the conditions of a Job that is over."""
        item = self.api.get(JOBS, self.namespace, job)
        conditions = [
            {
                "type": type_,
                "status": "True",
                "reason": reason,
                "message": "said by a test",
                "lastProbeTime": _now(),
                "lastTransitionTime": _now(),
            }
            for type_ in types
        ]
        item["status"] = status | {"conditions": conditions, "uncountedTerminatedPods": {}}
        self.api.replace(JOBS, item, subresource="status")

    def log(self, job: str, texts: dict[str, str]) -> None:
        """What the containers of a build wrote."""
        pod = self.pod(job, dict.fromkeys(texts, 0), {})
        for step, text in texts.items():
            self.write_log(self.namespace, pod, step, text)

    def become(self, deployment: Deployment, state: ServiceState) -> None:
        """Write what Knative Serving writes into a Service's status."""
        function = deployment.function
        item = self.api.get(SERVICES, function.namespace, function.name)
        known = "False" if state.failed else "True" if state.ready else "Unknown"
        why = (state.failure_reason, state.failure_message) if state.failed else ()
        item["status"] = {
            **_observed(item, Ready=(known, *why)),
            "url": state.url,
            "latestReadyRevisionName": state.revision,
        }
        self.api.replace(SERVICES, item, subresource="status")
        if state.ready:
            self.triggers_become(deployment, "True")

    def say(self, deployment: Deployment, **conditions: tuple[str, ...]) -> None:
        """Write conditions of a Service, as of what is asked for now: status, reason, message."""
        function = deployment.function
        item = self.api.get(SERVICES, function.namespace, function.name)
        item["status"] = (item.get("status") or {}) | _observed(item, **conditions)
        self.api.replace(SERVICES, item, subresource="status")

    def triggers_become(self, deployment: Deployment, *ready: str) -> None:
        """Write what Knative Eventing says of each Trigger: status, reason, message."""
        for item in self.api.list(TRIGGERS, deployment.function.namespace):
            item["status"] = _observed(item, Ready=ready)
            self.api.replace(TRIGGERS, item, subresource="status")

    def crash(self, deployment: Deployment, message: str) -> None:
        """Let the newest Revision end again and again, as a kubelet tells it."""
        ended = {"exitCode": 1, "reason": "Error", "message": message}
        waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
        self.revision(deployment, pod_status("Running", waiting, ended=ended))
        self.say(deployment, Ready=("Unknown", ""))

    def revision(
        self, deployment: Deployment, *pods: dict[str, Any], is_replaced: bool = False
    ) -> None:
        """Name a newest Revision and make its Pods; a ReplicaSet makes others in their place."""
        function, revision = deployment.function, f"{deployment.function.name}-00007"
        item = self.api.get(SERVICES, function.namespace, function.name)
        item["status"] = {"latestCreatedRevisionName": revision}
        self.api.replace(SERVICES, item, subresource="status")
        (own,) = item["spec"]["template"]["spec"]["containers"]
        secured = {**_LAMBDA_CONTAINER, "securityContext": own["securityContext"]}
        for number, status in enumerate(pods):
            metadata = {
                "name": f"{revision}-pod-{number}",
                "namespace": function.namespace,
                "labels": {"serving.knative.dev/revision": revision},
                "ownerReferences": [_REPLICA_SET] if is_replaced else [],
            }
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
            stored = self.api.create(PODS, {**pod, "spec": {"containers": [secured]}})
            stored["status"] = status
            self.api.replace(PODS, stored, subresource="status")

    def subscriptions(self, function: FunctionId) -> list[dict[str, str]]:
        """What the Triggers of a lambda ask for."""
        filters = [
            trigger["spec"]["filters"][0] for trigger in self.api.list(TRIGGERS, function.namespace)
        ]
        return [each["exact"] for first in filters for each in first.get("any", [first])]

    def told(self, function: FunctionId) -> list[tuple[str, str]]:
        """Reason and message of the Events that are about a lambda."""
        events = self.api.list(EVENTS, function.namespace)
        about = (event for event in events if event["involvedObject"]["name"] == function.name)
        return [(event["reason"], event["message"]) for event in about]


def pod_status(
    phase: str, state: dict[str, Any] | None = None, *, ended: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A Pod of a lambda as a kubelet tells it: its container's state, and how it ended before."""
    if state is None:
        return {"phase": phase}
    container = {
        **_LAMBDA_CONTAINER,
        "imageID": "",
        "ready": False,
        "restartCount": 0 if ended is None else 1,
        "state": state,
        "lastState": {} if ended is None else {"terminated": ended},
    }
    return {"phase": phase, "containerStatuses": [container]}


def statuses(states: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The containers of a Pod, each in its state; beside `publish`, `build` is one that inits."""
    found = [
        {
            "name": step,
            "image": "i",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
        for step, state in states.items()
    ]
    return {
        "initContainerStatuses": [
            each for each in found if len(found) > 1 and each["name"] == "build"
        ],
        "containerStatuses": [each for each in found if len(found) == 1 or each["name"] != "build"],
    }


def is_over(platform: Platform, job: str) -> bool:
    """Whether the port sees the end of a Job."""
    seen = platform.jobs.get(job)
    return seen is not None and seen.state is not JobState.RUNNING


def another_generation(deployment: Deployment, generation: int, **changes: Any) -> Deployment:
    """The same lambda after another request."""
    return replace(deployment, generation=generation, **changes)


def _observed(item: dict[str, Any], **conditions: tuple[str, ...]) -> dict[str, Any]:
    """What Knative says of an object as it is now; of a condition its status, reason, message."""
    return {
        "observedGeneration": item["metadata"]["generation"],
        "conditions": [
            {"type": type_, "lastTransitionTime": _now()}
            | dict(zip(("status", "reason", "message"), said, strict=False))
            for type_, said in conditions.items()
        ],
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
