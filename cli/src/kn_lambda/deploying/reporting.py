"""Reports the outcome of a deployment, as text or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.log_lines import log_lines
from kn_lambda.cluster.records import build_of, status_of
from kn_lambda.deploying.watcher import Outcome
from kn_lambda.errors import CommandError
from kn_lambda.invoking.command_lines import (
    curl_command,
    invoke_command,
    sample_data,
    target_flags,
)
from kn_lambda.program import command_about
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import Styled, echo

if TYPE_CHECKING:
    from pathlib import Path

    from kn_lambda.deploying.deployer import Deployer
    from kn_lambda.deploying.watcher import DeploymentResult
    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.valid_event import CloudEvent

_LAST_LINES = 20
_FIX_AND_DEPLOY = "Nothing was changed. Fix the problem and deploy again."
# By the reason of a rejection: problems that are not in the source.
_HINTS = {
    "NamespaceNotFound": "The namespace is not a tenant."
    " Whoever runs the platform makes it one: kn-lambda tenant add NAME."
    " To use the namespace default, omit -n."
}


def await_outcome(
    deployer: Deployer, event: CloudEvent, timeout_seconds: float | None
) -> DeploymentResult | None:
    """Return the result of a request that was sent; without a time, wait for the Broker alone."""
    if timeout_seconds is None:
        deployer.await_acceptance()
        return None
    try:
        return deployer.watch(event, timeout_seconds)
    except KeyboardInterrupt:
        progress = command_about(deployer.function, "describe")
        echo(f"\nThe deployment continues. See its progress: {progress}", err=True)
        raise


def accepted_document(deployer: Deployer, event: CloudEvent) -> dict[str, Any]:
    """Return the document of a request that the Broker has accepted."""
    accepted = {**_identity(deployer.function), "outcome": "accepted"}
    changes = {"changes": deployer.changes.to_json()} if deployer.changes else {}
    return {**accepted, "eventId": event.attributes["id"], **changes}


def error_document(function: FunctionId, error: CommandError, seconds: float) -> dict[str, Any]:
    """Return the document of a deployment that did not get as far as an outcome."""
    return {
        **_identity(function),
        "outcome": "error",
        "seconds": round(seconds, 3),
        "message": error.message,
        "exitCode": int(error.exit_code),
    }


def result_document(deployer: Deployer, result: DeploymentResult, seconds: float) -> dict[str, Any]:
    """Return the document for `-o json`."""
    status, build = status_of(result.record), build_of(result.record)
    document: dict[str, Any] = {
        **_identity(deployer.function),
        "outcome": "unchanged" if deployer.is_unchanged(result) else result.outcome.value,
        "seconds": round(seconds, 3),
    }
    if result.outcome is Outcome.READY:
        document |= {name: status.get(name) for name in ("url", "image", "revision")}
    if result.outcome is Outcome.FAILED:
        document |= {name: build.get(name) for name in ("reason", "message", "log")}
    if deployer.changes is not None and result.outcome in {Outcome.READY, Outcome.FAILED}:
        document["changes"] = deployer.changes.to_json()
    if result.rejection is not None:
        rejection = result.rejection
        document |= {"reason": rejection.reason, "message": rejection.message}
        document |= {"field": rejection.field} if rejection.field else {}
    return document


def report(
    session: Session,
    deployer: Deployer,
    result: DeploymentResult,
    seconds: float,
    source: Path | None,
    *,
    show_calls: bool = True,
) -> None:
    """Print the outcome, and how to call the function; `CommandError` unless it is ready."""
    if session.output == "json":
        print_document(result_document(deployer, result, seconds), "json")
    record = require_ready(deployer, result)
    if session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{deployer.function.name}")
    if session.output != "text":
        return
    word = "unchanged" if deployer.is_unchanged(result) else "ready"
    deployer.progress.step(Styled(word, fg="green", bold=True))
    if show_calls:
        print_invocations(session, record, source)
    else:
        echo(record["status"]["url"])


def report_accepted(session: Session, deployer: Deployer, event: CloudEvent) -> None:
    """Print that the Broker has accepted the request."""
    function = deployer.function
    if session.output == "json":
        print_document(accepted_document(deployer, event), "json")
    elif session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{function.name}")
    else:
        echo(f"{function} accepted. See its progress: {command_about(function, 'describe')}")


def report_nothing_to_change(session: Session, deployer: Deployer) -> None:
    """Print that the function is as requested, and that nothing was sent."""
    function, status = deployer.function, status_of(deployer.before)
    if session.output == "json":
        document = {**_identity(function), "outcome": "unchanged"}
        served = {name: status.get(name) for name in ("url", "image", "revision")}
        changes = {"changes": deployer.changes.to_json()} if deployer.changes else {}
        print_document({**document, "seconds": 0, **served, **changes}, "json")
    elif session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{function.name}")
    else:
        echo(f"{function} already is as requested; nothing was sent")


def require_ready(deployer: Deployer, result: DeploymentResult) -> KubernetesObject:
    """Return the record of the function; `CommandError` unless it is ready."""
    if result.outcome is not Outcome.READY or result.record is None:
        raise _failure(deployer, result)
    return result.record


def print_invocations(session: Session, record: KubernetesObject, source: Path | None) -> None:
    """Print the URL of a function, and two command lines that call it."""
    data = sample_data(source)
    flags = target_flags(session, record["metadata"]["namespace"])
    echo(record["status"]["url"])
    echo("\nCall it:", err=True)
    echo(f"  {invoke_command(record, data, flags)}", err=True)
    echo(f"  {curl_command(record, data)}", err=True)


def _identity(function: FunctionId) -> dict[str, Any]:
    return {"namespace": function.namespace, "name": function.name}


def _failure(deployer: Deployer, result: DeploymentResult) -> CommandError:
    function = deployer.function
    match result.outcome:
        case Outcome.FAILED if result.record is not None:
            return _build_failure(deployer, result.record)
        case Outcome.REJECTED:
            reason = result.rejection.reason if result.rejection is not None else ""
            return CommandError(
                f"rejected: {result.rejection}", hint=_HINTS.get(reason, _FIX_AND_DEPLOY)
            )
        case Outcome.SUPERSEDED:
            return CommandError(
                f"superseded: a newer request for {function} was accepted first",
                hint="To replace it with this one, run the command again.",
            )
        case _:
            return CommandError(
                f"{function} was deleted during the deployment", hint="To restore it, deploy again."
            )


def _build_failure(deployer: Deployer, record: KubernetesObject) -> CommandError:
    build = build_of(record)
    message = str(build.get("message") or "").strip()
    lines = log_lines(str(build.get("log") or "").strip())
    # They were printed during the build, unless it ended too fast, or failed after the build.
    was_shown = bool(lines) and deployer.last_log_line == lines[-1].strip()
    for line in [] if was_shown or message.endswith("\n".join(lines)) else lines[-_LAST_LINES:]:
        deployer.progress.log(line)
    return CommandError(f"{build.get('reason')}: {message}", hint=_hint(deployer, record))


def _hint(deployer: Deployer, record: KubernetesObject) -> str:
    function: FunctionId = deployer.function
    kept = "The previous revision still serves requests. " if status_of(record).get("url") else ""
    build = build_of(record)
    # Reasons of Knative are about the start; errors before it are in the log of the build.
    is_built = bool(build.get("digest")) or str(build.get("reason")).startswith("Revision")
    option = "" if is_built else " --build"
    if build.get("reason") == "Cancelled" and not build.get("log"):
        return kept.rstrip()
    return f"{kept}See the log: {command_about(function, 'logs')}{option}"
