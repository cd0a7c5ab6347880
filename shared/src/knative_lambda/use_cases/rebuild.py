"""build-start: a lambda is built again from its record, on a new base image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.domain.events import BuildStart

if TYPE_CHECKING:
    from knative_lambda.domain.events import Event, Rebuild, Reply
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import LambdaFunctions
    from knative_lambda.use_cases.start_build import StartBuild


@dataclass(frozen=True, kw_only=True, slots=True)
class RebuildLambda:
    """Replies like `StartBuild`; a request that was accepted since the record was read wins.

    Packages stay as they are, however old: a base image with a fix changes nothing else.
    """

    records: LambdaFunctions
    start_build: StartBuild

    def __call__(self, event: Event, function: FunctionId, data: Rebuild) -> Reply:
        """Ask for what the record asks for, with the base image and the builder of today."""
        record = self.records.get(function)
        if record is None:
            raise InvalidEventError(f"{function} does not exist; deploy it", field="subject")
        request = BuildStart.model_validate(
            {
                **dict(record.spec),
                "set_fields": record.set_fields,
                "replaces": record.stamp.event_id,
                "refresh": data.refresh,
            }
        )
        return self.start_build(event, function, request, ages=False)
