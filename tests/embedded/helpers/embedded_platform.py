"""What tests see of a platform from the outside, and what they send to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from typing_extensions import override

from tests.embedded.helpers.running_platform import RunningPlatform
from tests.helpers.http_client import request
from tests.helpers.lambda_platform import LambdaPlatform
from tests.helpers.platform_access import token_header, trust
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.helpers.http_client import Answer

WRAPPERS = ("/usr/bin/bwrap ", "/bin/sh -c exec 3>&2")
LAMBDAS = "/apis/knative-lambda.dev/v1alpha1/namespaces/default/lambdafunctions"
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
REVISIONS = "/apis/serving.knative.dev/v1/namespaces/default/revisions"


class EmbeddedPlatform(RunningPlatform, LambdaPlatform):
    """A running platform with eyes: its processes, events, objects and files."""

    @override
    def close(self) -> None:
        """Leave no process behind, also none that outlived the platform."""
        try:
            super().close()
        finally:
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def processes(self, having: str = "") -> list[int]:
        """Pids of its children, found as its next start finds them: by their mark.

        With `having` those whose command line has that, or whose control function is at such a
        path, without the wrappers of their sandboxes.
        """
        mark = f"KN_LAMBDA_EMBEDDED={self.home.resolve()}"
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                variables = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            is_wrapper = command.startswith(WRAPPERS)
            runs = [each for each in variables if each.startswith("KN_LAMBDA_EMBEDDED_FUNCTION=")]
            named = any(having in each for each in (command, *runs))
            if mark in variables and named and not (having and is_wrapper):
                found.append(int(folder.name))
        return found

    # --- where it is ---------------------------------------------------------------------------

    def url(self, name: str) -> str:
        """The URL that a lambda has according to docs/EMBEDDED_PLATFORM.md."""
        return f"{self.gateway_url}/default/{name}"

    def control_url(self, function: str) -> str:
        return f"{self.gateway_url}/knative-lambda/{function}/"

    @property
    def tenant_broker(self) -> str:
        return f"{self.broker_url}/default/default"

    @property
    @override
    def control_broker(self) -> str:
        return f"{self.broker_url}/knative-lambda/knative-lambda"

    @property
    @override
    def authorization(self) -> dict[str, str]:
        return token_header(self.home)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST as the platform's owner, who alone may."""
        return request("POST", url, body, {**self.authorization, **headers})

    # --- its events ----------------------------------------------------------------------------

    def events(self, **filters: str) -> list[dict[str, Any]]:
        """The journal, oldest first."""
        return self._journal("events", "events", filters)

    def dead_letters(self, **filters: str) -> list[dict[str, Any]]:
        return self._journal("dead-letters", "deadLetters", filters)

    def _journal(self, path: str, name: str, filters: dict[str, str]) -> list[dict[str, Any]]:
        query = urlencode({"limit": "1000", **filters})
        url = f"{self.broker_url}/-/{path}?{query}"
        answer = request("GET", url, headers=self.authorization)
        assert answer.status == 200, answer
        return list(reversed(answer.data[name]))

    def types(self, name: str) -> list[str]:
        """Types of all events about a lambda, without their prefix, oldest first."""
        found = self.events(subject=f"default/{name}")
        return [event["attributes"]["type"].removeprefix("dev.knative-lambda.") for event in found]

    def await_settled(self, *, within: float = 90.0) -> list[dict[str, Any]]:
        """Return the journal as it is once no delivery is pending.

        What still builds sends more events later: wait for the phase first.
        """
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self.events()
            return not any(_pending(found))

        try:
            wait_for(look, within=within)
        except AssertionError:
            raise AssertionError(list(_pending(found))) from None
        return found

    # --- its Kubernetes API --------------------------------------------------------------------

    def api(self, method: str, path: str, body: object = None) -> Answer:
        return request(
            method,
            self.api_url + path,
            None if body is None else json.dumps(body).encode(),
            {**token_header(self.home), "Content-Type": "application/json"},
            trust(self.kubeconfig),
        )

    def list(self, path: str, **labels: str) -> list[dict[str, Any]]:
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        query = urlencode({"labelSelector": selector}) if selector else ""
        answer = self.api("GET", f"{path}?{query}")
        assert answer.status == 200, answer
        items: list[dict[str, Any]] = answer.data["items"]
        return items

    def record(self, name: str) -> dict[str, Any] | None:
        """The LambdaFunction, or None where there is none."""
        answer = self.api("GET", f"{LAMBDAS}/{name}")
        return answer.data if answer.status == 200 else None

    def phase(self, name: str) -> str:
        return ((self.record(name) or {}).get("status") or {}).get("phase", "")

    def await_phase(self, name: str, phase: str, *, within: float = 90.0) -> dict[str, Any]:
        """Wait for it; what the platform has of the lambda is in the failure."""
        try:
            wait_for(lambda: self.phase(name) == phase, within=within)
        except AssertionError:
            raise AssertionError(self._all_of(name)) from None
        return self.record(name) or {}

    def _all_of(self, name: str) -> str:
        service = self.api("GET", f"{SERVICES}/{name}").data
        revisions = self.list(REVISIONS, **{"serving.knative.dev/service": name})
        found = {
            "record": self.record(name),
            "service": service,
            "revisions": [each.get("status") for each in revisions],
            "events": self.events(subject=f"default/{name}"),
            "changes": [each for each in self.events() if each["attributes"].get("name") == name],
        }
        return json.dumps(found, indent=1)


def _pending(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        for delivery in (*event["triggers"], *event["deadLetterSinks"]):
            if delivery["state"] == "pending":
                yield {"event": event["attributes"], "delivery": delivery}
