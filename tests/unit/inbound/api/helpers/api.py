"""The API on fakes, and tokens of two teams."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from knative_lambda.inbound.api.application import Application
from knative_lambda.inbound.api.operations import Services
from knative_lambda.use_cases.read_logs import ReadBuilds
from knative_lambda.use_cases.take_upload import TakeUpload
from tests.helpers.asgi import send
from tests.helpers.fakes import InMemoryObjectStorage
from tests.helpers.fakes_callers import READ_LAMBDAS, InMemoryCallers

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LF = "lambdafunctions.knative-lambda.dev"


class Clock:
    def now(self):
        return NOW


class Api:
    """`team-a-edit`, `team-a-view` and `team-b` are tokens; each may see one namespace."""

    def __init__(self, max_bytes=1000, **storage_options):
        self.callers = InMemoryCallers(
            rights={
                "team-a-edit": {"team-a": {*READ_LAMBDAS, f"create {LF}", "get pods/log"}},
                "team-a-view": {"team-a": {*READ_LAMBDAS, "get pods/log"}},
                "team-a-patches-hello": {"team-a": {f"patch {LF}/hello"}},
                "team-b": {"team-b": {*READ_LAMBDAS, f"create {LF}", "get pods/log"}},
                "nobody": {},
            }
        )
        self.storage = InMemoryObjectStorage()
        self.uploads = TakeUpload(
            storage=self.storage,
            clock=Clock(),
            upload_url="s3://uploads/",
            max_bytes=max_bytes,
        )
        self.made = 0
        self.app = Application(self.services)

    def services(self):
        self.made += 1
        return Services(
            callers=self.callers,
            builds=ReadBuilds(storage=self.storage, storage_url="s3://own/"),
            uploads=self.uploads,
        )

    async def ask(self, method, target, token="team-a-view", headers=(), body=b"", **options):
        given = dict(headers) | ({"Authorization": f"Bearer {token}"} if token else {})
        return await send(self.app, method, target, given, body, **options)

    def __getattr__(self, name):
        return partial(self.ask, name.upper())
