"""Events and bodies at the limits, sent to functions of both runtimes through the gateway."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from lambda_embedded.serving.launchers.launcher import Command
from tests.helpers.cloudevent_bodies import EVENT
from tests.integration.helpers.serving_platform import running
from tests.integration.runtimes.helpers.sources import NODE_SOURCE, PYTHON_SOURCE

LIMIT = 6 * 1024 * 1024
HTTP_SOURCES = {
    "python": "def handler(request):\n    return str(len(request.get_data()))\n",
    "nodejs": "exports.handler = (request, response) => response.end(`${request.method}`);\n",
}


class _Runtime:
    """Runs the server of a runtime as a base image does."""

    def __init__(self, command, root, handler, signature):
        self.command = command
        self.environment = {
            "HOST": "127.0.0.1",
            "FUNCTION_ROOT": str(root),
            "FUNCTION_HANDLER": handler,
            "FUNCTION_SIGNATURE": signature,
        }

    def accepts(self, template):
        return True

    async def prepare(self, namespace, name, template):
        return Command(
            arguments=self.command, environment=self.environment, working_directory=Path.cwd()
        )

    async def collect(self, templates):
        pass


@pytest.fixture(params=["cloudevent", "http"])
def runtime(request, language, command, tmp_path):
    files = {"python": "main.py", "nodejs": "index.js"}
    event_sources = {"python": PYTHON_SOURCE, "nodejs": NODE_SOURCE}
    is_http = request.param == "http"
    (tmp_path / "function" / "source").mkdir(parents=True)
    source = tmp_path / "function" / "source" / files[language]
    source.write_text((HTTP_SOURCES if is_http else event_sources)[language])
    handler = f"{source.stem}.{'handler' if is_http else 'describe'}"
    return _Runtime(command, tmp_path / "function", handler, request.param)


async def test_all_attributes_that_an_event_may_have_pass(runtime, tmp_path):
    (tmp_path / "platform").mkdir()
    many = {f"ce-e{number}": "x" for number in range(251)}
    async with running(tmp_path / "platform", runtime) as platform:
        platform.apply()
        await platform.ready()
        url = f"{platform.url}/team/hello"
        async with platform.client.post(url, data=b"{}", headers={**EVENT, **many}) as answer:
            assert answer.status == 200


async def _pieces(size):
    for _ in range(size // 65536):
        yield b" " * 65536
    yield b" " * (size % 65536)


@pytest.mark.parametrize("size", [LIMIT + 1, 7 * 1024 * 1024, 20 * 1024 * 1024])
async def test_a_body_over_the_limit_is_413_in_every_try(runtime, tmp_path, size):
    (tmp_path / "platform").mkdir()
    async with running(tmp_path / "platform", runtime) as platform:
        platform.apply()
        await platform.ready()
        url = f"{platform.url}/team/hello"
        seen = []
        for form in ["length", "chunked", "expectation"] * 5:
            body = io.BytesIO(b" " * size) if form == "length" else _pieces(size)
            async with platform.client.post(
                url, data=body, headers=EVENT, expect100=form == "expectation"
            ) as response:
                seen.append((response.status, (await response.json())["reason"]))
    assert set(seen) == {(413, "BodyTooLarge")}
