"""Secrets of tenants that open their sources, with the keys that Flux gives them."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.adapters.kubernetes.client import SECRETS
from knative_lambda.adapters.kubernetes.errors import NotFoundError
from knative_lambda.domain.errors import ForbiddenError, SourceAccessDeniedError

if TYPE_CHECKING:
    from knative_lambda.adapters.kubernetes.client import KubernetesApi
    from knative_lambda.domain.names import FunctionId

_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
_LONGEST = 8192


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesSourceSecrets:
    """`SourceSecrets` of namespaces that let this function read them."""

    api: KubernetesApi

    def authorization(self, function: FunctionId, name: str) -> str:
        """Return `Bearer` for the key bearerToken, `Basic` for username and password."""
        try:
            secret = self.api.get(SECRETS, function.namespace, name)
        except NotFoundError:
            raise _denied(f"there is no Secret {name} in {function.namespace}") from None
        except ForbiddenError:
            raise _denied(
                f"the Secret {name} may not be read: the operator lists the names of such Secrets"
                f" in the Role knative-lambda-source-secrets of {function.namespace}"
            ) from None
        return authorization_of(name, secret.get("data") or {})


def authorization_of(name: str, data: dict[str, str]) -> str:
    """Return the header that the data of a Secret, which is base64, stands for."""
    if "bearerToken" in data:
        token = _text(name, data, "bearerToken")
        if not _TOKEN.fullmatch(token):
            raise _denied(f"the key bearerToken of the Secret {name} is no token")
        return f"Bearer {token}"
    if "password" not in data:
        raise _denied(f"the Secret {name} has neither bearerToken nor username and password")
    # Hosts that take a token as password ignore the name, but not that there is none.
    username = _text(name, data, "username") if "username" in data else "git"
    password = _text(name, data, "password")
    if ":" in username or not (username + password).isprintable():
        raise _denied(f"the Secret {name} has a username or password that no header can hold")
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _text(name: str, data: dict[str, str], key: str) -> str:
    """Return a value less the line end that editors leave."""
    try:
        text = base64.b64decode(data[key], validate=True).decode().rstrip("\r\n")
    except (binascii.Error, ValueError, TypeError):
        raise _denied(f"the key {key} of the Secret {name} is no text") from None
    if not 1 <= len(text) <= _LONGEST:
        raise _denied(f"the key {key} of the Secret {name} is empty or too long")
    return text


def _denied(problem: str) -> SourceAccessDeniedError:
    return SourceAccessDeniedError(problem, field="source.secretRef")
