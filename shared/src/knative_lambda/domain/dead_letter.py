"""An event that no Broker could deliver, as it is kept."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_EVENTING = "knative-eventing"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """What was to be delivered, to where, and why that failed.

    `headers` and `body` are those of the delivery: sent again, they make the same event.
    """

    id: str
    source: str
    type: str
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool
    """Whether the body was longer than what is kept."""
    destination: str
    status: str
    error: str

    @property
    def namespace(self) -> str:
        """The tenant, as far as the destination says."""
        return destination_namespace(self.destination)

    @property
    def key(self) -> str:
        """The key below the storage root; the same for the same letter delivered twice."""
        parts = (self.source, self.id, self.type, self.destination)
        identity = "\0".join(parts)
        digest = hashlib.sha256(identity.encode(errors="replace")).hexdigest()
        return f"dead-letters/{self.namespace}/{digest}.json"

    def to_json(self, received_at: datetime) -> bytes:
        """The document that is stored."""
        document: dict[str, object] = {
            "receivedAt": received_at.isoformat(),
            "namespace": self.namespace,
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "destination": self.destination,
            "status": self.status,
            "error": self.error,
            "headers": dict(self.headers),
        }
        try:
            document["body"] = self.body.decode()
        except UnicodeDecodeError:
            document["bodyBase64"] = base64.b64encode(self.body).decode()
        if self.is_cut:
            document["bodyIsCut"] = True
        return json.dumps(document, indent=1).encode()


def destination_namespace(destination: str) -> str:
    """Return the namespace in the URL that a Broker delivers to; `unknown` where it has none."""
    try:
        url = urlsplit(destination)
    except ValueError:
        return "unknown"
    host, path = (url.hostname or "").split("."), url.path.split("/")
    namespace = ""
    if path[1:2] == ["triggers"]:
        # The Broker's filter in front of the subscriber: /triggers/<namespace>/<trigger>/...
        namespace = path[2] if len(path) > 2 else ""  # noqa: PLR2004  # what comes after
    elif host[1:3] == [_EVENTING, "svc"]:
        namespace = path[1] if len(path) > 1 else ""  # a reply: /<namespace>/<broker>
    elif host[2:3] == ["svc"]:
        namespace = host[1]
    return namespace if _NAMESPACE.fullmatch(namespace) else "unknown"
