"""What a path of the API names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_embedded.api.kinds.served import Kind


@dataclass(frozen=True, slots=True)
class Target:
    """What a path of the API names; an empty name is the collection."""

    kind: Kind
    namespace: str
    name: str = ""
    subresource: str = ""
