"""How a deployment ended, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.pod_logs import log_lines
from kn_lambda.cluster.records import build_of, status_of
from kn_lambda.deploying.watcher import Outcome
from kn_lambda.errors import CommandError
from kn_lambda.invoking.command_lines import (
    curl_command,
    invoke_command,
    sample_data,
    target_flags,
)
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import Styled, echo

if TYPE_CHECKING:
    from pathlib import Path

    from kn_lambda.deploying.deployer import Deployer
    from kn_lambda.deploying.watcher import DeploymentResult
    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId

_LAST_LINES = 20
_MEND_AND_DEPLOY = "Nothing was changed; mend that and deploy again."
# What is not for the author of the source to mend, by the reason of the rejection.
_MENDING = {
    "NamespaceNotFound": "That namespace is no tenant yet; config/tenants/default shows how to"
    " set one up. The default is there: leave -n out."
}


def result_document(deployer: Deployer, result: DeploymentResult, seconds: float) -> dict[str, Any]:
    """Return the end of a deployment for `-o json`."""
    status, build = status_of(result.record), build_of(result.record)
    document: dict[str, Any] = {
        "namespace": deployer.function.namespace,
        "name": deployer.function.name,
        "outcome": "unchanged" if deployer.is_unchanged(result) else result.outcome.value,
        "seconds": round(seconds, 3),
    }
    if result.outcome is Outcome.READY:
        document |= {name: status.get(name) for name in ("url", "image", "revision")}
    if result.outcome is Outcome.FAILED:
        document |= {name: build.get(name) for name in ("reason", "message", "log")}
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
) -> None:
    """Print how it ended; `CommandError` unless the function is ready."""
    if session.output == "json":
        print_document(result_document(deployer, result, seconds), "json")
    record = require_ready(deployer, result)
    if session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{deployer.function.name}")
    if session.output != "text":
        return
    word = "unchanged" if deployer.is_unchanged(result) else "ready"
    deployer.progress.step(Styled(word, fg="green", bold=True))
    print_invocations(session, record, source)


def require_ready(deployer: Deployer, result: DeploymentResult) -> KubernetesObject:
    """Return the record of a function that is ready; `CommandError` says why it is not."""
    if result.outcome is not Outcome.READY or result.record is None:
        raise _failure(deployer, result)
    return result.record


def print_invocations(session: Session, record: KubernetesObject, source: Path | None) -> None:
    """Print the URL of a function, and two ways to call it."""
    data = sample_data(source)
    flags = target_flags(session, record["metadata"]["namespace"])
    echo(record["status"]["url"])
    echo("\nCall it:", err=True)
    echo(f"  {invoke_command(record, data, flags)}", err=True)
    echo(f"  {curl_command(record, data)}", err=True)


def _failure(deployer: Deployer, result: DeploymentResult) -> CommandError:
    function = deployer.function
    match result.outcome:
        case Outcome.FAILED if result.record is not None:
            return _build_failure(deployer, result.record)
        case Outcome.REJECTED:
            reason = result.rejection.reason if result.rejection is not None else ""
            return CommandError(
                f"refused: {result.rejection}", hint=_MENDING.get(reason, _MEND_AND_DEPLOY)
            )
        case Outcome.SUPERSEDED:
            return CommandError(
                f"superseded: a newer wish for {function} was accepted before this one",
                hint="Deploy again if this one is what you want.",
            )
        case _:
            return CommandError(
                f"{function} was deleted meanwhile", hint="Deploy again to bring it back."
            )


def _build_failure(deployer: Deployer, record: KubernetesObject) -> CommandError:
    build = build_of(record)
    message = str(build.get("message") or "").strip()
    lines = log_lines(str(build.get("log") or "").strip())
    # They were shown as they came, unless it all went too fast, or happened after the build.
    was_shown = bool(lines) and deployer.last_log_line == lines[-1].strip()
    for line in [] if was_shown or message.endswith("\n".join(lines)) else lines[-_LAST_LINES:]:
        deployer.progress.log(line)
    return CommandError(f"{build.get('reason')}: {message}", hint=_hint(deployer, record))


def _hint(deployer: Deployer, record: KubernetesObject) -> str:
    function: FunctionId = deployer.function
    flags = "" if function.namespace == "default" else f" -n {function.namespace}"
    kept = "The revision before goes on serving. " if status_of(record).get("url") else ""
    build = build_of(record)
    # Knative's own reasons tell of the start; what came before it is in the log of the build.
    is_built = bool(build.get("digest")) or str(build.get("reason")).startswith("Revision")
    option = "" if is_built else " --build"
    return f"{kept}More: kn-lambda logs {function.name}{option}{flags}"
