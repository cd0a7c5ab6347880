"""A container's `env` and `envFrom`, resolved against ConfigMaps and Secrets as a kubelet does."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.store.objects import Objects

_NAME = r"[A-Za-z_.-][A-Za-z0-9_.-]*"
# $(NAME) is replaced, $$ stands for one dollar sign.
_REFERENCE = re.compile(rf"\$\$|\$\(({_NAME})\)")
_REFERENCES = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
_SOURCES = {"configMapRef": "ConfigMap", "secretRef": "Secret"}

_INHERITED = (
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
)


class UnresolvedEnvironmentError(Exception):
    """The environment of a container refers to something that does not exist.

    `may_come` tells what somebody may still create from what will never work here.
    """

    def __init__(self, message: str, *, may_come: bool = True) -> None:
        super().__init__(message)
        self.may_come = may_come


def inherited_environment(machine: Mapping[str, str]) -> dict[str, str]:
    """Return what the process of a function has of this machine's environment."""
    return {
        **{name: machine[name] for name in _INHERITED if name in machine},
        "PATH": machine.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "LANG": machine.get("LANG", "C.UTF-8"),
        # Its output is a pipe, where Python would buffer log lines.
        "PYTHONUNBUFFERED": "1",
    }


def resolve_environment(
    objects: Objects,
    namespace: str,
    container: Mapping[str, Any],
    *,
    fields: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the variables of a container; `UnresolvedEnvironmentError` lists all that is missing.

    `fields` has the values of `valueFrom.fieldRef` by path (`metadata.name`, ...).
    """
    resolved: dict[str, str] = {}
    missing: list[UnresolvedEnvironmentError] = []
    for source in container.get("envFrom") or []:
        try:
            resolved.update(_whole_source(objects, namespace, source))
        except UnresolvedEnvironmentError as error:
            missing.append(error)
    for variable in container.get("env") or []:
        name, value_from = variable["name"], variable.get("valueFrom")
        if not value_from:
            resolved[name] = expand(variable.get("value") or "", resolved)
            continue
        try:
            value = _referenced(objects, namespace, name, value_from, fields or {})
        except UnresolvedEnvironmentError as error:
            missing.append(error)
        else:
            resolved.update({} if value is None else {name: value})
    if missing:
        raise UnresolvedEnvironmentError(
            "; ".join(map(str, missing)), may_come=all(error.may_come for error in missing)
        )
    return resolved


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by the variable if it exists, as in `command`, `args` and `value`."""

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        return "$" if name is None else environment.get(name, match[0])

    return _REFERENCE.sub(replacement, text)


def _whole_source(objects: Objects, namespace: str, source: Mapping[str, Any]) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    for field, kind in _SOURCES.items():
        reference = source.get(field)
        if reference:
            data = _data(objects, kind, namespace, reference["name"])
            if data is None and not reference.get("optional"):
                raise UnresolvedEnvironmentError(f"envFrom: {_missing(kind, namespace, reference)}")
            keys = (key for key in data or {} if re.fullmatch(_NAME, key))
            return {prefix + key: _text(kind, (data or {})[key]) for key in keys}
    return {}


def _referenced(
    objects: Objects,
    namespace: str,
    variable: str,
    value_from: Mapping[str, Any],
    fields: Mapping[str, str],
) -> str | None:
    for field, kind in _REFERENCES.items():
        reference = value_from.get(field)
        if reference:
            data = _data(objects, kind, namespace, reference["name"])
            if data is not None and reference["key"] in data:
                return _text(kind, data[reference["key"]])
            if reference.get("optional"):
                return None
            say = _missing if data is None else _no_key
            what = say(kind, namespace, reference)
            raise UnresolvedEnvironmentError(f"env {variable}: {what}")
    path = (value_from.get("fieldRef") or {}).get("fieldPath", "")
    if path not in fields:
        raise UnresolvedEnvironmentError(
            f"env {variable}: this valueFrom is not supported by the embedded platform;"
            " use secretKeyRef, configMapKeyRef or value",
            may_come=False,
        )
    return fields[path]


def _data(objects: Objects, kind: str, namespace: str, name: str) -> dict[str, str] | None:
    found = objects.find(kind, namespace, name)
    if found is None:
        return None
    # An API server converts stringData on write, but not every object here came through ours.
    encoded = {
        key: base64.b64encode(text.encode()).decode()
        for key, text in (found.get("stringData") or {}).items()
    }
    return {**(found.get("data") or {}), **encoded}


def _text(kind: str, value: str) -> str:
    if kind == "Secret":
        return base64.b64decode(value).decode(errors="surrogateescape")
    return value


def _missing(kind: str, namespace: str, reference: Mapping[str, Any]) -> str:
    return f"{kind} {namespace}/{reference['name']} does not exist"


def _no_key(kind: str, namespace: str, reference: Mapping[str, Any]) -> str:
    return f"{kind} {namespace}/{reference['name']} has no key {reference['key']!r}"
