"""One deployment: packs the source, sends the event, watches the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.events import new_event, send_to_broker
from kn_lambda.cluster.records import status_of
from kn_lambda.deploying.credential_files import CREDENTIALS_HINT, left_out_text
from kn_lambda.deploying.packing import inline_source, zip_source
from kn_lambda.deploying.runtimes import installed_runtimes, resolve_runtime
from kn_lambda.deploying.sending import Sending
from kn_lambda.deploying.source_files import read_source
from kn_lambda.deploying.uploading import upload_archive
from kn_lambda.deploying.validation import validate_spec
from kn_lambda.deploying.watcher import DeploymentResult, DeploymentWatcher, Outcome
from knative_lambda.domain.events import BUILD_START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kn_lambda.cluster.installation import Installation
    from kn_lambda.deploying.deploy_request import DeployRequest
    from kn_lambda.terminal.progress import Progress
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.valid_event import CloudEvent

_MAX_BYTES = 50 * 1024 * 1024
_MAX_FILES = 10_000
_KIB = 1024
# Most Brokers respond at once; for the others, we watch the deployment meanwhile.
_SOON_SECONDS = 1.0
# Such a Broker responds after the deployment; if we hang up early, it drops the last events.
_LAST_SECONDS = 5.0


@dataclass(kw_only=True)
class Deployer:
    """Deploys one function: call `send`, then `watch` or `await_acceptance`."""

    installation: Installation
    function: FunctionId
    progress: Progress

    def send(self, request: DeployRequest) -> CloudEvent:
        """Validate, pack and send; the Broker may not have accepted the event yet."""
        settings = self.installation.settings()
        self._builds_namespace = settings.get("KN_LAMBDA_BUILDS_NAMESPACE", "knative-lambda-builds")
        self._before = self.installation.find_record(self.function)
        spec = dict(request.spec)
        if isinstance(spec.get("runtime"), str):
            spec["runtime"] = resolve_runtime(spec["runtime"], installed_runtimes(settings))
        url = self.installation.control_broker_url()
        # Before the upload: an invalid spec must leave nothing behind.
        validate_spec(spec if request.files is None else {**spec, "source": _ANY_SOURCE})
        if request.files is not None:
            spec["source"] = self._source(request, settings)
        event = new_event(BUILD_START, validate_spec(spec), subject=str(self.function))
        self._sending = Sending(partial(send_to_broker, self.installation, url, event))
        self._sending.wait(_SOON_SECONDS)
        self.progress.step(f"sent {self.function} ({spec['runtime']})")
        return event

    def await_acceptance(self) -> None:
        """Wait until the Broker has accepted the event."""
        self._sending.wait()

    def watch(self, event: CloudEvent, timeout_seconds: float) -> DeploymentResult:
        """Wait until the deployment has ended; `TimedOutError` if it has not by then."""
        watcher = DeploymentWatcher(
            self.installation,
            self.function,
            event,
            self._builds_namespace,
            self.progress,
            check=self._sending.check,
        )
        result = watcher.watch(timeout_seconds)
        self._sending.linger(_LAST_SECONDS)
        self.last_log_line = watcher.log.last_line
        return result

    def is_unchanged(self, result: DeploymentResult) -> bool:
        """Whether the same revision serves as before."""
        before, now = status_of(self._before), status_of(result.record)
        return (
            result.outcome is Outcome.READY
            and before.get("phase") == "Ready"
            and bool(now.get("revision"))
            and before.get("revision") == now.get("revision")
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
        self.progress.step(f"packed {_files(len(source.files))}, {size:.1f} KiB")
        texts = inline_source(source.files)
        if texts is not None:
            return {"inline": texts}
        archive = zip_source(source.files)
        uri = upload_archive(settings, self.function, archive)
        self.progress.step(f"uploaded {len(archive) / _KIB:.1f} KiB")
        return {"uri": uri}


_ANY_SOURCE = {"inline": {"source": ""}}


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
