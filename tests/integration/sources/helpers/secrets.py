"""The one Secret of these tests, and where their servers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knative_lambda.domain.names import FunctionId

NAME = "deploy-token"
TOKEN = "hunter2-token"
LOOPBACK = "127.0.0.0/8,::1/128"


class OneSecret:
    """`SourceSecrets` of one tenant."""

    def authorization(self, function: FunctionId, name: str) -> str:
        assert name == NAME
        return f"Bearer {TOKEN}"
