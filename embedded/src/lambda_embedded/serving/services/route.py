"""Where requests for one Service go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from lambda_embedded.serving.pool.revision_pool import RevisionPool

RouteKey = tuple[str, str]


class Route:
    """The pool that has the traffic of a Service, in memory for the gateway's fast path."""

    def __init__(self, not_ready_message: str) -> None:
        self.pool: RevisionPool | None = None
        self.roll_out: asyncio.Task[None] | None = None
        """The newest rollout; a request that finds no pool waits for its end."""
        self.is_deleted = False
        self.is_cluster_local = False
        """Whether only holders of the token may call it, as the Broker does."""
        self.not_ready_message = not_ready_message
