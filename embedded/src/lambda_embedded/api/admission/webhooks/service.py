"""Services of Knative Serving."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.quantities import parse_quantity
from lambda_embedded.api.admission.webhooks.denial import invalid, missing, out_of_bounds
from lambda_embedded.schemas.causes import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_embedded.store.objects import KubernetesObject

_AUTOSCALING = "autoscaling.knative.dev/"
_SCALES = ("min-scale", "max-scale", "initial-scale", "target")
_RESERVED_VARIABLES = frozenset({"PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"})
_RESERVED_CONTAINERS = frozenset({"queue-proxy"})
_RESERVED_PORTS = frozenset({8012, 8013, 8022, 9090, 9091, 8008})
_PORT_NAMES = frozenset({"", "h2c", "http1"})
_RESERVED_PATHS = frozenset({"/", "/dev", "/dev/log"})
_MOST_CONCURRENCY = 1000
_MOST_SECONDS = 600
_LAST_PORT = 65535
_SPEC = "spec.template.spec"

Object = dict[str, Any]


def faults(item: KubernetesObject) -> Iterator[Cause]:
    """What Knative rejects in a Service."""
    for name in item["metadata"].get("annotations") or {}:
        if name.startswith(_AUTOSCALING):
            yield Cause(
                "metadata.annotations",
                f'invalid key name "{name}": autoscaling annotations must be put under '
                '"spec.template.metadata.annotations" to work',
            )
    template = (item.get("spec") or {}).get("template") or {}
    yield from _scale_faults((template.get("metadata") or {}).get("annotations") or {})
    spec = template.get("spec") or {}
    for field, most in (
        ("containerConcurrency", _MOST_CONCURRENCY), ("timeoutSeconds", _MOST_SECONDS),
    ):  # fmt: skip
        if not 0 <= spec.get(field, 0) <= most:
            yield out_of_bounds(spec[field], 0, most, f"{_SPEC}.{field}")
    containers = spec.get("containers") or []
    if not containers:
        yield missing(f"{_SPEC}.containers")
    elif len(containers) > 1:
        yield Cause(
            f"{_SPEC}.containers", "expected exactly one: the embedded platform runs no sidecars"
        )
    volumes = {each.get("name"): each for each in spec.get("volumes") or []}
    for index, container in enumerate(containers):
        yield from _container_faults(container, volumes, f"{_SPEC}.containers[{index}]")
    mounted = {m.get("name") for c in containers for m in c.get("volumeMounts") or []}
    for index, name in enumerate(volumes):
        if name not in mounted:
            yield Cause(f"{_SPEC}.volumes[{index}].name", f'volume with name "{name}" not mounted')


def changes(_item: KubernetesObject, _old: KubernetesObject | None) -> Iterator[Cause]:
    """What Knative rejects in an update: nothing that matters here."""
    yield from ()


def _scale_faults(annotations: dict[str, str]) -> Iterator[Cause]:
    at = "spec.template.metadata.annotations"
    numbers = {}
    for name in _SCALES:
        text = annotations.get(_AUTOSCALING + name)
        if text is None:
            continue
        if not text.isascii() or not text.replace(".", "", name == "target").isdigit():
            yield invalid(text, f"{at}[{_AUTOSCALING}{name}]")
        else:
            numbers[name] = float(text)
    if 0 < numbers.get("max-scale", 0) < numbers.get("min-scale", 0):
        yield Cause(
            f"{at}[{_AUTOSCALING}max-scale], {at}[{_AUTOSCALING}min-scale]",
            f"max-scale={numbers['max-scale']:g} is less than min-scale={numbers['min-scale']:g}",
        )


def _container_faults(container: Object, volumes: dict[str, Object], at: str) -> Iterator[Cause]:
    if container.get("name") in _RESERVED_CONTAINERS:
        yield Cause(f"{at}.name", f'"{container["name"]}" is a reserved container name')
    if not container.get("image"):
        yield missing(f"{at}.image")
    for index, variable in enumerate(container.get("env") or []):
        if not variable.get("name"):
            yield missing(f"{at}.env[{index}].name")
        elif variable["name"] in _RESERVED_VARIABLES:
            message = f'"{variable["name"]}" is a reserved environment variable'
            yield Cause(f"{at}.env[{index}].name", message)
    yield from _port_faults(container.get("ports") or [], at)
    yield from _resource_faults(container.get("resources") or {}, f"{at}.resources")
    yield from _mount_faults(container.get("volumeMounts") or [], volumes, f"{at}.volumeMounts")


def _port_faults(ports: list[Object], at: str) -> Iterator[Cause]:
    if len(ports) > 1:
        yield Cause(f"{at}.ports", "more than one container port is set")
    for port in ports[:1]:
        number = port.get("containerPort", 0)
        if number in _RESERVED_PORTS:
            yield invalid(f"{number} is a reserved port", f"{at}.ports[0].containerPort")
        elif not 1 <= number <= _LAST_PORT:
            yield out_of_bounds(number, 1, _LAST_PORT, f"{at}.ports[0].containerPort")
        if port.get("name", "") not in _PORT_NAMES:
            message = f"Port name {port['name'][:100]} is not allowed"
            yield Cause(f"{at}.ports[0].name", message)


def _resource_faults(resources: Object, at: str) -> Iterator[Cause]:
    """What a cluster notices too late: it rejects the Deployment of the Revision, for good."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for kind, values in (("limits", limits), ("requests", requests)):
        for name, value in values.items():
            try:
                is_negative = parse_quantity(value) < 0
            except ValueError:
                is_negative = True
            if is_negative:
                yield invalid(value, f"{at}.{kind}[{name}]")
                return
    for name in requests.keys() & limits.keys():
        if parse_quantity(requests[name]) > parse_quantity(limits[name]):
            message = f"must be less than or equal to {name} limit of {limits[name]}"
            yield Cause(f"{at}.requests[{name}]", f"invalid value: {requests[name]}: {message}")


def _mount_faults(mounts: list[Object], volumes: dict[str, Object], at: str) -> Iterator[Cause]:
    seen = set()
    for index, mount in enumerate(mounts):
        place = f"{at}[{index}]"
        path = posixpath.normpath(mount.get("mountPath") or "")
        if mount.get("name") not in volumes:
            yield Cause(f"{place}.name", "volumeMount has no matching volume")
        if not mount.get("mountPath"):
            yield missing(f"{place}.mountPath")
        elif path in _RESERVED_PATHS:
            yield Cause(f"{place}.mountPath", f'mountPath "{path}" is a reserved path')
        elif not path.startswith("/") or path in seen:
            yield invalid(path, f"{place}.mountPath")
        seen.add(path)
