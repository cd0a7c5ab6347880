"""One deployment: packs the source, sends the event, watches the outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.events import new_event, send_to_broker
from kn_lambda.cluster.records import status_of
from kn_lambda.deploying.changes import find_changes
from kn_lambda.deploying.credential_files import CREDENTIALS_HINT, left_out_text
from kn_lambda.deploying.images import require_runnable
from kn_lambda.deploying.packing import inline_source, zip_source
from kn_lambda.deploying.runtimes import installed_runtimes, resolve_runtime
from kn_lambda.deploying.sending import Sending
from kn_lambda.deploying.settings_change import apply_settings, change_record
from kn_lambda.deploying.source_files import read_source
from kn_lambda.deploying.uploading import upload_archive
from kn_lambda.deploying.watcher import DeploymentResult, DeploymentWatcher, Outcome
from kn_lambda.errors import CommandError
from kn_lambda.program import command_about
from knative_lambda.adapters.kubernetes.functions import read_record
from knative_lambda.domain.errors import UnreadableRecordError
from knative_lambda.domain.events import BUILD_START, REBUILD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kn_lambda.cluster.installation import Installation
    from kn_lambda.deploying.changes import Changes
    from kn_lambda.deploying.deploy_request import DeployRequest
    from kn_lambda.deploying.settings_change import AppliedSettings, SettingsChange
    from kn_lambda.terminal.progress import Progress
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.lambda_function import LambdaFunction
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.valid_event import CloudEvent

_MAX_BYTES = 50 * 1024 * 1024
_MAX_FILES = 10_000
_KIB = 1024
_ACTIVITY = "waiting for the build"
# Most Brokers respond at once; for the others, we watch the deployment meanwhile.
_SOON_SECONDS = 1.0
# Such a Broker responds after the deployment; if we hang up early, it drops the last events.
_LAST_SECONDS = 5.0


@dataclass(kw_only=True)
class Deployer:
    """Deploys one function: one of the `send...`, then `watch` or `await_acceptance`."""

    installation: Installation
    function: FunctionId
    progress: Progress
    before: KubernetesObject | None = None
    """The record when the request was sent."""
    changes: Changes | None = None
    """What the request changes; None before it was sent, and for one that changes no setting."""
    _replaces: str | None = None

    def send(self, request: DeployRequest) -> CloudEvent:
        """Validate, pack and send; the Broker may not have accepted the event yet."""
        settings = self.installation.settings()
        self._builds_namespace = settings.get("KN_LAMBDA_BUILDS_NAMESPACE", "knative-lambda-builds")
        spec = dict(request.spec)
        if isinstance(spec.get("runtime"), str):
            spec["runtime"] = resolve_runtime(spec["runtime"], installed_runtimes(settings))
        require_runnable(spec, settings)
        url = self.installation.control_broker_url()
        # Before the upload: an invalid spec must leave nothing behind.
        any_source = {"source": _ANY_SOURCE} if request.files is not None else {}
        apply_settings({**spec, **any_source}, request.change, self._recorded())
        if request.files is not None:
            spec["source"] = self._source(request, settings)
        # Again, since others may have set something meanwhile.
        recorded = self._recorded()
        applied = apply_settings(spec, request.change, recorded)
        if self.before is not None and recorded is None:
            self.progress.warn(
                "the record is invalid, so nothing is kept that options had set",
                f"To set it again: {command_about(self.function, 'set')}",
            )
        self._warn_of_credentials(request.change)
        return self._send(url, applied, recorded, refresh=request.refresh)

    def send_rebuild(self, *, refresh: bool) -> CloudEvent:
        """Have the control plane build again what the record says; `MissingError` without one."""
        self._builds_namespace = self.installation.builds_namespace()
        url = self.installation.control_broker_url()
        self.before = self.installation.record(self.function)
        event = new_event(REBUILD, {"refresh": refresh}, subject=str(self.function))
        self._post(url, event)
        self.progress.step(f"sent {self.function}", then=_ACTIVITY)
        return event

    def send_change(self, change: SettingsChange) -> CloudEvent | None:
        """Send the spec of the record with other settings; None if they are so already.

        It has no effect if another request is accepted before it.
        """
        self._builds_namespace = self.installation.builds_namespace()
        url = self.installation.control_broker_url()
        recorded = self._recorded()
        if recorded is None:
            self.installation.record(self.function)
            raise CommandError(
                f"the record of {self.function} cannot be changed, since it is invalid",
                hint=f"Run `{command_about(self.function, 'describe')}`, then deploy it again.",
            )
        if recorded.is_being_deleted:
            raise CommandError(f"{self.function} is being deleted", hint="Deploy it again.")
        applied = change_record(recorded, change)
        if (applied.spec, applied.set_fields) == (recorded.spec.to_json(), recorded.set_fields):
            self.changes = find_changes(applied.spec, applied)
            return None
        self._warn_of_credentials(change)
        return self._send(url, applied, recorded, replaces=recorded.stamp.event_id)

    def await_acceptance(self) -> None:
        """Wait until the Broker has accepted the event."""
        self._sending.wait()

    def watch(
        self,
        event: CloudEvent,
        timeout_seconds: float,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> DeploymentResult:
        """Wait until the deployment has ended; `TimedOutError` if it has not by then.

        `pause` waits between two looks; what it raises ends the wait.
        """
        watcher = DeploymentWatcher(
            self.installation,
            self.function,
            event,
            self._builds_namespace,
            self.progress,
            replaces=self._replaces,
            check=self._sending.check,
            pause=pause,
        )
        result = watcher.watch(timeout_seconds)
        self._sending.linger(_LAST_SECONDS)
        self.last_log_line = watcher.log.last_line
        return result

    def is_unchanged(self, result: DeploymentResult) -> bool:
        """Whether the same revision serves as before."""
        before, now = status_of(self.before), status_of(result.record)
        return (
            result.outcome is Outcome.READY
            and before.get("phase") == "Ready"
            and bool(now.get("revision"))
            and before.get("revision") == now.get("revision")
        )

    def _recorded(self) -> LambdaFunction | None:
        """Read the record; None where there is none that can be read."""
        self.before = self.installation.find_record(self.function)
        try:
            return None if self.before is None else read_record(self.before)
        except UnreadableRecordError:
            return None

    def _send(
        self,
        url: str,
        applied: AppliedSettings,
        recorded: LambdaFunction | None,
        *,
        replaces: str | None = None,
        refresh: bool = False,
    ) -> CloudEvent:
        extras = {"setFields": applied.set_fields, "replaces": replaces, "refresh": refresh}
        data = {**applied.spec, **{name: value for name, value in extras.items() if value}}
        event = new_event(BUILD_START, data, subject=str(self.function))
        self._replaces = replaces
        self._post(url, event)
        self.progress.step(f"sent {self.function} ({applied.spec['runtime']})", then=_ACTIVITY)
        self.changes = find_changes(recorded.spec.to_json() if recorded else None, applied)
        for line in self.changes.lines():
            self.progress.step(line, then=_ACTIVITY)
        return event

    def _post(self, url: str, event: CloudEvent) -> None:
        self._sending = Sending(partial(send_to_broker, self.installation, url, event))
        self._sending.wait(_SOON_SECONDS)

    def _warn_of_credentials(self, change: SettingsChange) -> None:
        if names := change.credentials:
            self.progress.warn(
                f"in plain text, although the name suggests a credential: {', '.join(names)}",
                "Whoever may read the function can read it. Keep it in a Secret, and use"
                f" --env-value-from {names[0]}=secret:SECRET:KEY.",
            )

    def _source(self, request: DeployRequest, settings: Mapping[str, str]) -> dict[str, Any]:
        path = request.files
        if path is None:
            raise ValueError("the spec names its own source")
        source = read_source(
            path,
            max_bytes=int(settings.get("KN_LAMBDA_SOURCE_MAX_BYTES", _MAX_BYTES)),
            max_files=int(settings.get("KN_LAMBDA_SOURCE_MAX_FILES", _MAX_FILES)),
            manifest=request.manifest,
            include=request.include,
        )
        if source.left_out:
            self.progress.warn(left_out_text(source.left_out), CREDENTIALS_HINT)
        size = sum(len(file.content) for file in source.files) / _KIB
        self.progress.step(f"packed {_files(len(source.files))}, {size:.1f} KiB", then="sending")
        texts = inline_source(source.files)
        if texts is not None:
            return {"inline": texts}
        archive = zip_source(source.files)
        uri = upload_archive(settings, self.function, archive)
        self.progress.step(f"uploaded {len(archive) / _KIB:.1f} KiB", then="sending")
        return {"uri": uri}


_ANY_SOURCE = {"inline": {"source": ""}}


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
