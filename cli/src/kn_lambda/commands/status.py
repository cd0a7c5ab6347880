"""kn-lambda status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kn_lambda.errors import UnreachableError
from kn_lambda.options import session_command
from kn_lambda.terminal.ages import age
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.tables import print_fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kn_lambda.session import Session
    from kn_lambda.terminal.output import Styled


@session_command("status", outputs=("text", "json", "yaml"))
def command(session: Session) -> None:
    """Show whether the platform runs, where, and what runs on it.

    The exit code is 0 if it runs, and 3 if it does not.
    """
    from kn_lambda.cluster.running import require_running  # noqa: PLC0415 # quick --help

    home = _home(session)
    status = _status(session, home)
    if session.output == "text":
        print_fields(_fields(status))
    else:
        print_document(status, session.output)
    if home is not None:
        require_running(home)


def _home(session: Session) -> Path | None:
    """Return the data folder of the embedded platform that is meant; None for a cluster."""
    from kn_lambda.cluster.connecting import embedded_home  # noqa: PLC0415

    try:
        return embedded_home(session.target)
    except UnreachableError:
        # Neither a platform nor a cluster: the answer is that none runs in the folder.
        if session.target.context is not None:
            raise
        return session.target.home


def _status(session: Session, home: Path | None) -> dict[str, Any]:
    from kn_lambda.cluster.platform_status import (  # noqa: PLC0415
        cluster_status,
        embedded_status,
        functions_by_phase,
    )

    if home is None:
        status = cluster_status(session.installation, session.namespace)
    else:
        status = embedded_status(home)
    if status["state"] == "running":
        status["functions"] = functions_by_phase(session.installation, session.namespace)
    return status


def _fields(status: dict[str, Any]) -> Iterator[tuple[str, str | Styled]]:
    yield "Platform", f"{status['platform']}, {_STATES[status['state']]}"
    yield "Context", status.get("name", "")
    yield "Process", str(status.get("pid") or "")
    if started := status.get("startedAt"):
        yield "Since", f"{started} ({age(started)})"
    urls = status.get("urls") or {}
    yield "Functions", urls.get("gateway", "")
    yield "Broker", urls.get("broker", "")
    yield "Kubernetes", urls.get("api", "")
    yield "KUBECONFIG", status.get("kubeconfig", "")
    if "sandbox" in status:
        yield "Sandbox", "on" if status["sandbox"] else "off: functions may read your files"
    yield "Builder", status.get("builder", "")
    for name, found in (status.get("controlFunctions") or {}).items():
        yield name, judged(found)
    for name, found in (status.get("brokers") or {}).items():
        yield f"Broker {name}", judged(found)
    if "functions" in status:
        yield "Deployed", _counted(status["functions"])
    if "home" in status:
        from kn_lambda.cluster.disk_usage import readable_size  # noqa: PLC0415

        yield "Data", f"{status['home']} ({readable_size(status['bytes'])})"


_STATES = {"running": "running", "stopped": "not running", "changing": "starting or stopping"}


def _counted(functions: dict[str, int]) -> str:
    return ", ".join(f"{count} {phase}" for phase, count in sorted(functions.items())) or "nothing"
