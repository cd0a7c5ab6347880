"""An upgrade from an older version in the middle of builds: nothing of it is lost.

`make e2e-upgrade` runs this on a cluster that has the older version; without one it is skipped.
"""

from __future__ import annotations

import subprocess
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.helpers.cluster import CHECKOUT, CONTROL
from tests.helpers.gated_wheel import CLUSTER_PORT, gate_server
from tests.helpers.http_client import request
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.helpers.cluster import Cluster
    from tests.helpers.gated_wheel import GatedWheel

pytestmark = pytest.mark.timeout(900)

GATED = "import gated\n\ndef handler(event):\n    return gated.VALUE\n"
THROUGH = "through the gate"
SMALL = "h11==0.16.0\n"
BETWEEN_REQUESTS_SECONDS = 4.0
CONTROL_FUNCTIONS = f"/apis/serving.knative.dev/v1/namespaces/{CONTROL}/services"


def answers(text: str) -> str:
    return f"def handler(event):\n    return {text!r}\n"


@dataclass
class Upgrade:
    """Names of lambdas, by what the older version had done for them when the new one came."""

    cluster: Cluster
    plain: str = field(default_factory=lambda: f"plain-{uuid.uuid4().hex[:8]}")
    packaged: str = field(default_factory=lambda: f"packaged-{uuid.uuid4().hex[:8]}")
    failed: str = field(default_factory=lambda: f"failed-{uuid.uuid4().hex[:8]}")
    ends_during: str = field(default_factory=lambda: f"during-{uuid.uuid4().hex[:8]}")
    ends_after: str = field(default_factory=lambda: f"after-{uuid.uuid4().hex[:8]}")
    replaced: str = field(default_factory=lambda: f"replaced-{uuid.uuid4().hex[:8]}")
    deleted: str = field(default_factory=lambda: f"deleted-{uuid.uuid4().hex[:8]}")
    sent: list[str] = field(default_factory=list)
    """Those that were asked for while the new version was applied."""

    def deploy_with_the_older_version(self) -> None:
        for name, files in {
            self.plain: {"main.py": answers("plain")},
            self.packaged: {"main.py": answers("packaged"), "requirements.txt": SMALL},
        }.items():
            self.cluster.send_build_start(name, files)
            self.cluster.await_phase(name, "Ready")
        self.cluster.send_build_start(self.failed, {"main.py": "import no_such_module\n"})
        self.cluster.await_phase(self.failed, "Failed")

    def begin(self, name: str, gate: GatedWheel) -> None:
        self.cluster.send_request(name, {"main.py": GATED, "requirements.txt": gate.requirement})
        gate.await_build()

    def apply_the_new_version(self, gate: GatedWheel) -> None:
        """Send requests all the while; one build ends as soon as the first function is replaced."""
        before = self._generations()
        installer = subprocess.Popen([CHECKOUT / "testbed/install.sh"])
        is_open, last = False, 0.0
        while installer.poll() is None:
            if not is_open and self._generations() != before:
                gate.open()
                is_open = True
            if is_open and time.monotonic() - last > BETWEEN_REQUESTS_SECONDS:
                last = time.monotonic()
                files = {"main.py": answers("sent")}
                # Every other one has a Job.
                files |= {"requirements.txt": SMALL} if len(self.sent) % 2 else {}
                self.sent.append(f"sent-{uuid.uuid4().hex[:8]}")
                self.cluster.send_request(self.sent[-1], files)
            time.sleep(0.1)
        assert installer.returncode == 0
        assert is_open, "nothing was upgraded"

    def ask_the_new_version(self) -> None:
        """What people want of it while builds of the older one still run."""
        self.cluster.send_build_start(self.replaced, {"main.py": answers("replaced")})
        self.cluster.await_phase(self.replaced, "Ready")
        assert self.cluster.kn_lambda("delete", self.deleted).returncode == 0

    @property
    def names(self) -> list[str]:
        """All lambdas of this run."""
        own = (self.plain, self.packaged, self.failed, self.replaced, self.deleted)
        return [*own, self.ends_during, self.ends_after, *self.sent]

    def _generations(self) -> dict[str, int]:
        functions = self.cluster.api.list(CONTROL_FUNCTIONS)
        return {each["metadata"]["name"]: each["metadata"]["generation"] for each in functions}


def test_an_upgrade_in_the_middle_of_builds_loses_nothing(cluster: Cluster, host_address: str):
    if "TESTBED_UPGRADE" not in cluster.environment:
        pytest.skip("the cluster has no older version: `make e2e-upgrade` installs one first")
    upgrade = Upgrade(cluster)
    with gate_server(host_address, CLUSTER_PORT) as server, ExitStack() as stack:
        gates = [stack.enter_context(server.gate()) for _ in range(4)]
        upgrade.deploy_with_the_older_version()
        names = (upgrade.ends_during, upgrade.ends_after, upgrade.replaced, upgrade.deleted)
        for name, gate in zip(names, gates, strict=True):
            upgrade.begin(name, gate)
        upgrade.apply_the_new_version(gates[0])
        gates[1].open()
        upgrade.ask_the_new_version()
    # All gates are open now.
    its_lambdas_go_on_serving(upgrade)
    its_builds_are_deployed(upgrade)
    a_newer_request_stands_whatever_its_build_leaves(upgrade)
    its_lambdas_can_be_deployed_again(upgrade)
    what_it_made_is_collected(upgrade)


def its_lambdas_go_on_serving(upgrade: Upgrade) -> None:
    for name in (upgrade.plain, upgrade.packaged):
        assert upgrade.cluster.phase(name) == "Ready"
        assert upgrade.cluster.call(name).data == name.partition("-")[0]


def its_builds_are_deployed(upgrade: Upgrade) -> None:
    assert len(upgrade.sent) > 1
    answers = dict.fromkeys((upgrade.ends_during, upgrade.ends_after), THROUGH)
    for name, answer in (answers | dict.fromkeys(upgrade.sent, "sent")).items():
        record = upgrade.cluster.await_phase(name, "Ready", "Failed", within=240)
        assert record["status"]["phase"] == "Ready", record
        assert upgrade.cluster.call(name).data == answer


def a_newer_request_stands_whatever_its_build_leaves(upgrade: Upgrade) -> None:
    cluster, name = upgrade.cluster, upgrade.replaced
    wait_for(lambda: all(is_over(job) for job in cluster.jobs_of(name)))
    assert cluster.phase(name) == "Ready"
    assert cluster.call(name).data == "replaced"


def its_lambdas_can_be_deployed_again(upgrade: Upgrade) -> None:
    """With the same source and with another; and the one that failed."""
    cluster = upgrade.cluster
    for name, files in ((upgrade.plain, {}), (upgrade.packaged, {"requirements.txt": SMALL})):
        for text in (name.partition("-")[0], "changed"):
            before = build_of(cluster, name)
            cluster.send_build_start(name, files | {"main.py": answers(text)})
            wait_for(lambda: build_of(cluster, name) != before)  # noqa: B023 # within this turn
            cluster.await_phase(name, "Ready")
            assert cluster.call(name).data == text
    cluster.send_build_start(upgrade.failed, {"main.py": answers("mended")})
    cluster.await_phase(upgrade.failed, "Ready")
    assert cluster.call(upgrade.failed).data == "mended"


def what_it_made_is_collected(upgrade: Upgrade) -> None:
    cluster = upgrade.cluster
    for name in upgrade.names:
        cluster.send_delete(name)
    for name in upgrade.names:
        cluster.await_gone(name)

    # The Job of a lambda that is gone may have pushed once more: a cleanup finds it.
    cluster.send_cleanup()

    wait_for(lambda: not left_of(cluster, upgrade.names), within=120)


def build_of(cluster: Cluster, name: str) -> str:
    return cluster.record(name)["status"]["build"]["id"]


def is_over(job: dict) -> bool:
    conditions = job.get("status", {}).get("conditions", ())
    return any(each["type"] in {"Complete", "Failed"} for each in conditions)


def left_of(cluster: Cluster, names: list[str]) -> list[str]:
    """Jobs, images and objects in storage of lambdas that are gone."""
    pages = cluster.storage.get_paginator("list_objects_v2").paginate(Bucket="knative-lambda")
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    keys = [key for key in keys if not key.startswith("deleted/")]
    found = [f"storage {key}" for key in keys for name in names if name in key]
    registry = f"http://{cluster.environment['TESTBED_REGISTRY']}/v2/lambdas/default"
    for name in names:
        found += [f"Job {job['metadata']['name']}" for job in cluster.jobs_of(name)]
        answer = request("GET", f"{registry}/{name}/tags/list")
        found += [f"image {name}:{tag}" for tag in (answer.data or {}).get("tags") or ()]
    return found
