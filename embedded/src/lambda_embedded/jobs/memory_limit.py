"""`resources.limits.memory`: a child that takes more, with all that it started, is killed.

Not RLIMIT_AS: Node reserves far more address space than it uses, and a limit per process would
not add up over the installers that a build starts.
"""

from __future__ import annotations

import asyncio
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.quantities import parse_quantity
from lambda_embedded.holding.holder import children_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.processes.children import ChildProcess

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def memory_limit_bytes(container: Mapping[str, Any]) -> int | None:
    """The limit of a container; None where it has none, `ValueError` for no quantity."""
    resources = container.get("resources") or {}
    quantity = (resources.get("limits") or {}).get("memory")
    if quantity is None:
        return None
    try:
        limit = parse_quantity(quantity)
    except ValueError as error:
        raise ValueError(f"resources.limits.memory: {error}") from error
    if limit < 0:
        raise ValueError(f"resources.limits.memory: {str(quantity)[:40]!r} is less than nothing")
    return math.ceil(limit)


async def kill_above(child: ChildProcess, limit_bytes: int, *, poll_seconds: float) -> None:
    """Return once all processes of `child` took more than the limit and were killed."""
    while memory_of_tree(child.pid) <= limit_bytes:  # noqa: ASYNC110  # nothing tells us of memory
        await asyncio.sleep(poll_seconds)
    child.kill()


def memory_of_tree(pid: int) -> int:
    """Bytes of memory that a process and all below it have for themselves."""
    total = 0
    # A process may end while we look.
    with suppress(OSError, ValueError, IndexError):
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
        total = (int(resident) - int(shared)) * _PAGE_BYTES
    return total + sum(map(memory_of_tree, children_of(pid)))
