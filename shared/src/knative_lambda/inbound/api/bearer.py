"""The caller's own token, which every request to Kubernetes carries; it is never written down."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from knative_lambda.inbound.api.problems import RequestError

if TYPE_CHECKING:
    from starlette.requests import Request

# RFC 6750's b64token, and no longer than an API server reads headers.
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]{1,16384}=*)", re.ASCII)


def token_of(request: Request) -> str:
    """Return it, or raise 401; two headers are as good as none."""
    headers = request.headers.getlist("Authorization")
    found = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    if found is None:
        raise RequestError(
            HTTPStatus.UNAUTHORIZED,
            "send a token of Kubernetes as `Authorization: Bearer`: kubectl create token ACCOUNT"
            " makes one for a ServiceAccount",
        )
    return found[1]
