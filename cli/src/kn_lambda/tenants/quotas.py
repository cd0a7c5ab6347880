"""What all lambdas of a tenant together may use, as people give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.errors import WrongUsageError
from knative_lambda.domain.quantities import checked_quantity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# As `kubectl create quota` understands them.
_SHORT = {"cpu": "requests.cpu", "memory": "requests.memory"}


def parse_quota(given: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Read `cpu=16,memory=32Gi`; `known` are the resources that a tenant's quota limits."""
    found: dict[str, str] = {}
    for pair in (pair for each in given for pair in each.split(",")):
        name, separator, quantity = pair.partition("=")
        resource = _SHORT.get(name, name)
        if not separator or resource not in known:
            raise WrongUsageError(
                f"invalid --quota {pair[:80]!r}: must be RESOURCE=QUANTITY",
                hint=f"The resources are {', '.join((*_SHORT, *sorted(known)))}.",
            )
        try:
            found[resource] = str(checked_quantity(quantity))
        except ValueError as error:
            raise WrongUsageError(
                f"invalid --quota {pair[:80]!r}: {error}", hint="For example: --quota cpu=16"
            ) from error
    return found
