"""`kn-lambda run --debug`, with the protocols that editors speak."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.helpers.registries import free_port
from tests.integration.running.helpers.debuggers import DebugAdapter, Inspector

if TYPE_CHECKING:
    from tests.integration.running.helpers.run_process import RunProcess

pytestmark = pytest.mark.xdist_group("running")

PYTHON = "def handler(event):\n    number = 41\n    return number + 1\n"
NODE = "exports.handler = () => {\n  const number = 41;\n  return number + 1;\n};\n"
LINE = 3
MANIFEST = """\
apiVersion: knative-lambda.dev/v1alpha1
kind: LambdaFunction
spec: {timeoutSeconds: 1}
"""


def configuration(run: RunProcess) -> dict[str, Any]:
    """What it printed for launch.json."""
    text = run.err[run.err.index("{") :]
    return json.JSONDecoder().raw_decode(text)[0]


def evaluate_as_a_page(port: int, code: str) -> None:
    """Send a debugger's message as a web page can: as the body of a request, one a connection."""
    arguments = {"expression": code, "context": "repl"}
    message = {"seq": 1, "type": "request", "command": "evaluate", "arguments": arguments}
    body = json.dumps(message).encode()
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as page,
        contextlib.suppress(ConnectionError),
    ):
        page.sendall(head + body)
        assert b'"success": true' not in page.recv(4096)


async def call(run: RunProcess) -> asyncio.Task:
    return asyncio.create_task(asyncio.to_thread(run.answer))


async def test_an_editor_stops_a_python_function_in_the_authors_own_file(running):
    files = {"main.py": PYTHON, "function.yaml": MANIFEST}
    run = running(files, "--debug", "--debug-port", str(free_port()))
    await asyncio.to_thread(run.shows, "launch.json")
    assert configuration(run)["request"] == "attach"

    editor = await DebugAdapter.attach(configuration(run))
    file = str(run.folder / "main.py")
    await editor.request("setBreakpoints", source={"path": file}, breakpoints=[{"line": LINE}])
    await editor.request("configurationDone")
    await asyncio.to_thread(run.ready)
    answer = await call(run)
    stopped = await editor.event("stopped")
    frames = await editor.request("stackTrace", threadId=stopped["threadId"])
    top = frames["stackFrames"][0]
    assert (top["source"]["path"], top["line"]) == (file, LINE)
    value = await editor.request("evaluate", expression="number", frameId=top["id"])
    assert value["result"] == "41"
    # However long somebody looks: function.yaml says a second.
    limit = "int(__import__('os').environ['FUNCTION_TIMEOUT_SECONDS']) > 3600"
    value = await editor.request("evaluate", expression=limit, frameId=top["id"])
    assert value["result"] == "True"
    await editor.request("continue", threadId=stopped["threadId"])
    assert await answer == 42

    # A save does not wait for anybody, and lets an editor attach again.
    await asyncio.to_thread(run.saved, {"main.py": PYTHON.replace("41", "1")})
    await editor.close()
    assert await (await call(run)) == 2
    again = await DebugAdapter.attach(configuration(run))
    await again.request("configurationDone")
    await again.close()

    await asyncio.to_thread(run.saved, {"main.py": PYTHON.replace("41", "2")})
    port, stolen = configuration(run)["connect"]["port"], run.folder / "stolen"
    await asyncio.to_thread(evaluate_as_a_page, port, f"open({str(stolen)!r}, 'w')")
    assert await (await call(run)) == 3
    assert not stolen.exists()


async def test_an_editor_stops_a_node_function(running):
    files = {"index.js": NODE, "function.yaml": MANIFEST}
    run = running(files, "--debug", "--debug-port", str(free_port()))
    await asyncio.to_thread(run.shows, "launch.json")
    attach = configuration(run)
    rebound = {"Host": f"rebound.example:{attach['port']}"}
    assert (attach["type"], attach["localRoot"]) == ("node", str(run.folder))
    async with aiohttp.ClientSession() as session:
        editor = await Inspector.attach(session, attach)
        url = f"http://127.0.0.1:{attach['port']}/json/list"
        async with session.get(url, headers=rebound) as response:
            assert "webSocketDebuggerUrl" not in await response.text()
        await editor.request(
            "Debugger.setBreakpointByUrl",
            url=f"file://{attach['remoteRoot']}/index.js",
            lineNumber=LINE - 1,
        )
        await editor.request("Runtime.runIfWaitingForDebugger")
        # On the first line of the server, before any code of the function.
        await editor.event("Debugger.paused")
        await editor.request("Debugger.resume")
        await asyncio.to_thread(run.ready)
        answer = await call(run)
        paused = await editor.event("Debugger.paused")
        assert paused["callFrames"][0]["location"]["lineNumber"] == LINE - 1
        await editor.request("Debugger.resume")
        assert await answer == 42

        await asyncio.to_thread(run.saved, {"index.js": NODE.replace("41", "1")})
        assert await (await call(run)) == 2
        again = await Inspector.attach(session, attach)
        await again.close()
        await editor.close()
