"""What a tenant lacks of its manifests, or has otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.tenants.applying import Change
from kn_lambda.tenants.living import serves
from kn_lambda.tenants.manifests import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kn_lambda.cluster.installation import Installation
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_MOST_FIELDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One object that is not as the manifests have it."""

    reference: str
    found: str
    """`missing`, or which fields differ."""


def find_drift(installation: Installation, wanted: Sequence[KubernetesObject]) -> Iterator[Finding]:
    """Yield what is missing or differs; what is there beyond the manifests is the tenant's own."""
    for item in wanted:
        if not serves(installation, item["kind"]):
            continue
        metadata = item["metadata"]
        live = installation.api.look_up(
            RESOURCES[item["kind"]], metadata.get("namespace"), metadata["name"]
        )
        reference = Change(item=item, outcome="").reference
        if live is None:
            yield Finding(reference=reference, found="missing")
            continue
        differing = list(_differing(item, live, ""))
        if differing:
            more = "" if len(differing) <= _MOST_FIELDS else " and more"
            fields = ", ".join(differing[:_MOST_FIELDS])
            yield Finding(reference=reference, found=f"differs in {fields}{more}")


def _differing(wanted: object, live: object, path: str) -> Iterator[str]:
    """Yield the paths at which `live` lacks what is wanted; the server may have added defaults."""
    # An empty selector chooses all; the server adds nothing to it.
    if wanted and isinstance(wanted, dict) and isinstance(live, dict):
        for name, value in wanted.items():
            yield from _differing(value, live.get(name), f"{path}.{name}" if path else name)
    elif isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        for place, (one, other) in enumerate(zip(wanted, live, strict=True)):
            yield from _differing(one, other, f"{path}[{place}]")
    elif wanted != live and not (not wanted and live is None):
        yield path
