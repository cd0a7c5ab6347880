"""How a deployment ended, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.log_lines import log_lines
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
    from kn_lambda.deploying.watcher import Settled
    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId

_LAST_LINES = 20
_MEND_AND_DEPLOY = "Nothing was changed; mend that and deploy again."
# What is not for the author of the source to mend, by the reason of the refusal.
_MENDING = {
    "NamespaceNotFound": "That namespace is no tenant yet; config/tenants/default shows how to"
    " set one up. The default is there: leave -n out."
}


def document(deployer: Deployer, settled: Settled, seconds: float) -> dict[str, Any]:
    """Return the end of a deployment for `-o json`."""
    status: dict[str, Any] = (settled.record or {}).get("status") or {}
    build: dict[str, Any] = status.get("build") or {}
    result: dict[str, Any] = {
        "namespace": deployer.function.namespace,
        "name": deployer.function.name,
        "outcome": "unchanged" if deployer.is_unchanged(settled) else settled.outcome.value,
        "seconds": round(seconds, 3),
    }
    if settled.outcome is Outcome.READY:
        result |= {name: status.get(name) for name in ("url", "image", "revision")}
    if settled.outcome is Outcome.FAILED:
        result |= {name: build.get(name) for name in ("reason", "message", "log")}
    if settled.refusal is not None:
        refusal = settled.refusal
        result |= {"reason": refusal.reason, "message": refusal.message}
        result |= {"field": refusal.field} if refusal.field else {}
    return result


def report(
    session: Session, deployer: Deployer, settled: Settled, seconds: float, source: Path | None
) -> None:
    """Print how it ended; `CommandError` unless the function is ready."""
    if session.output == "json":
        print_document(document(deployer, settled, seconds), "json")
    record = require_ready(deployer, settled)
    if session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{deployer.function.name}")
    if session.output != "text":
        return
    word = "unchanged" if deployer.is_unchanged(settled) else "ready"
    deployer.steps.step(Styled(word, fg="green", bold=True))
    print_invocations(session, record, source)


def require_ready(deployer: Deployer, settled: Settled) -> KubernetesObject:
    """Return the record of a function that is ready; `CommandError` says why it is not."""
    if settled.outcome is not Outcome.READY or settled.record is None:
        raise _failure(deployer, settled)
    return settled.record


def print_invocations(session: Session, record: KubernetesObject, source: Path | None) -> None:
    """Print the URL of a function, and two ways to call it."""
    data = sample_data(source)
    flags = target_flags(session, record["metadata"]["namespace"])
    echo(record["status"]["url"])
    echo("\nCall it:", err=True)
    echo(f"  {invoke_command(record, data, flags)}", err=True)
    echo(f"  {curl_command(record, data)}", err=True)


def _failure(deployer: Deployer, settled: Settled) -> CommandError:
    function = deployer.function
    match settled.outcome:
        case Outcome.FAILED if settled.record is not None:
            return _build_failure(deployer, settled.record)
        case Outcome.REFUSED:
            reason = settled.refusal.reason if settled.refusal is not None else ""
            return CommandError(
                f"refused: {settled.refusal}", way_out=_MENDING.get(reason, _MEND_AND_DEPLOY)
            )
        case Outcome.SUPERSEDED:
            return CommandError(
                f"superseded: a newer wish for {function} was accepted before this one",
                way_out="Deploy again if this one is what you want.",
            )
        case _:
            return CommandError(
                f"{function} was deleted meanwhile", way_out="Deploy again to bring it back."
            )


def _build_failure(deployer: Deployer, record: KubernetesObject) -> CommandError:
    build = record["status"]["build"]
    message = str(build.get("message") or "").strip()
    lines = log_lines(str(build.get("log") or "").strip())
    # They were shown as they came, unless it all went too fast, or happened after the build.
    was_shown = bool(lines) and deployer.last_log_line == lines[-1].strip()
    for line in [] if was_shown or message.endswith("\n".join(lines)) else lines[-_LAST_LINES:]:
        deployer.steps.log(line)
    return CommandError(f"{build.get('reason')}: {message}", way_out=_way_out(deployer, record))


def _way_out(deployer: Deployer, record: KubernetesObject) -> str:
    function: FunctionId = deployer.function
    flags = "" if function.namespace == "default" else f" -n {function.namespace}"
    kept = "The revision before goes on serving. " if record["status"].get("url") else ""
    build = record["status"]["build"]
    # Knative's own reasons tell of the start; what came before it is in the log of the build.
    is_built = bool(build.get("digest")) or str(build.get("reason")).startswith("Revision")
    option = "" if is_built else " --build"
    return f"{kept}More: kn-lambda logs {function.name}{option}{flags}"
