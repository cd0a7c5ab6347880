"""The options of `send`, and the events that they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kn_lambda.cluster.events import SOURCE, new_event
from kn_lambda.errors import WrongUsageError
from kn_lambda.invoking.event_files import STDIN, read_events
from kn_lambda.invoking.input import content_type, read_data
from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.valid_event import OPTIONAL, REQUIRED, CloudEvent, create_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWN_OPTIONS = {*REQUIRED, *OPTIONAL, "specversion", "data"}


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingEvents:
    """What `send` was given; an option overrides what a file says."""

    type_: str | None = None
    data: str | None = None
    event_file: str | None = None
    id_: str | None = None
    source: str | None = None
    subject: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)

    def make(self) -> list[CloudEvent]:
        """Return the events, all of them valid; `WrongUsageError` before anything is sent."""
        self._check()
        try:
            return [self._overridden(event) for event in self._given()]
        except InvalidEventError as error:
            raise WrongUsageError(
                f"the event is not valid: {error.message}; nothing was sent",
                hint="Change the option or the file that says so: kn-lambda send --help",
            ) from error

    def _given(self) -> list[CloudEvent]:
        if self.event_file is None:
            return [new_event(self.type_ or "", {}, source=self.source or SOURCE)]
        events = read_events(self.event_file)
        if len(events) > 1 and (self.id_ or self.data is not None):
            raise WrongUsageError(
                f"--id and --data are for one event, and {self.event_file} has {len(events)}",
                hint="Write them into the file, or send its events one by one.",
            )
        return events

    def _check(self) -> None:
        if self.event_file is None and not self.type_:
            raise WrongUsageError(
                "send needs the type of the event, or a file with a whole event",
                hint="For example: kn-lambda send --type com.example.order.placed"
                " --data '{\"order\": 1}', or --event event.json.",
            )
        if self.event_file == STDIN and self.data == STDIN:
            raise WrongUsageError(
                "--event and --data cannot both read from stdin (-)", hint="Put one into a file."
            )

    def _overridden(self, event: CloudEvent) -> CloudEvent:
        given = {
            "type": self.type_, "id": self.id_, "source": self.source, "subject": self.subject
        }  # fmt: skip
        attributes = {**event.attributes, **self.extensions}
        attributes |= {name: value for name, value in given.items() if value is not None}
        content, data = event.data, read_data(self.data)
        if data is not None:
            content = data
            attributes["datacontenttype"] = content_type(data)
        return create_event(attributes, content)


def parse_extensions(given: Sequence[str]) -> dict[str, str]:
    """Return the extension attributes of `NAME=VALUE`; `WrongUsageError` for anything else."""
    extensions: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise WrongUsageError(
                f"--extension {text!r} is not NAME=VALUE",
                hint="For example: --extension partitionkey=42",
            )
        if name in _OWN_OPTIONS:
            raise WrongUsageError(
                f"--extension {name}: this is an attribute of CloudEvents itself, not an extension",
                hint="Use --type, --id, --source, --subject and --data, or an event file.",
            )
        extensions[name] = value
    return extensions
