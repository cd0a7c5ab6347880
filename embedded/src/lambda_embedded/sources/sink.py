"""Where a source sends its events: a Broker of this process, or a URL."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.errors import InvalidEventError
from lambda_embedded.broker.deliver.outcome import Failed
from lambda_embedded.broker.receive.intake import UnknownBrokerError
from lambda_embedded.eventing.destinations import redacted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from knative_lambda.inbound.valid_event import CloudEvent
    from lambda_embedded.broker.deliver.sender import Sender

    Accept = Callable[[str, str, CloudEvent], Awaitable[None]]

logger = logging.getLogger(__name__)

# Like Knative's sources: a few quick attempts, then the event is dropped.
_WAITS_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)
_TIMEOUT = timedelta(seconds=30)


class Sink:
    """One destination; `send` returns when the event is accepted, or dropped with a warning."""

    def __init__(
        self,
        destination: Mapping[str, Any],
        *,
        url: str,
        namespace: str,
        accept: Accept,
        sender: Sender,
    ) -> None:
        reference = destination.get("ref") or {}
        self.url = url
        self._broker: tuple[str, str] | None = None
        if reference.get("kind") == "Broker":
            self._broker = (reference.get("namespace") or namespace, reference["name"])
        self._accept = accept
        self._sender = sender

    async def send(self, event: CloudEvent) -> None:
        """Send one event."""
        error = ""
        for wait in (*_WAITS_SECONDS, None):
            error = await self._attempt(event)
            if not error:
                return
            if wait is not None:
                await asyncio.sleep(wait)
        logger.warning(
            "event %s of %s is lost: %s did not accept it: %s",
            *(event.attributes["id"], event.attributes["source"], redacted(self.url), error),
        )

    async def _attempt(self, event: CloudEvent) -> str:
        if self._broker is None:
            outcome = await self._sender.send_to_sink(self.url, event, within=_TIMEOUT)
            return outcome.error if isinstance(outcome, Failed) else ""
        try:
            await self._accept(*self._broker, event)
        except (UnknownBrokerError, InvalidEventError) as error:
            return str(error)
        except Exception as error:
            logger.exception("an event of %s could not be stored", event.attributes["source"])
            return type(error).__name__
        return ""
