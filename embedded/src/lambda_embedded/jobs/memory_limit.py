"""`resources.limits.memory`: a child whose process tree exceeds it is killed.

Not RLIMIT_AS: Node.js reserves far more address space than it uses, and a limit per process would
not cover the sum of the installers that a build starts.
"""

from __future__ import annotations

import asyncio
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.quantities import parse_quantity
from lambda_sandbox.isolation.launch import children_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_sandbox.children import ChildProcess

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def memory_limit_bytes(container: Mapping[str, Any]) -> int | None:
    """Return the limit of a container or None; `ValueError` if it is not a quantity."""
    resources = container.get("resources") or {}
    quantity = (resources.get("limits") or {}).get("memory")
    if quantity is None:
        return None
    try:
        limit = parse_quantity(quantity)
    except ValueError as error:
        raise ValueError(f"resources.limits.memory: {error}") from error
    if limit < 0:
        raise ValueError(f"resources.limits.memory: {str(quantity)[:40]!r} is negative")
    return math.ceil(limit)


async def kill_above(child: ChildProcess, limit_bytes: int, *, poll_seconds: float) -> None:
    """Return once the process tree of `child` exceeded the limit and was killed."""
    while memory_of_tree(child.pid) <= limit_bytes:  # noqa: ASYNC110  # there is no event for it
        await asyncio.sleep(poll_seconds)
    child.kill()


def memory_of_tree(pid: int) -> int:
    """Return the bytes of unshared memory of a process and all its descendants."""
    total = 0
    # A process may end meanwhile.
    with suppress(OSError, ValueError, IndexError):
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
        total = (int(resident) - int(shared)) * _PAGE_BYTES
    return total + sum(map(memory_of_tree, children_of(pid)))
