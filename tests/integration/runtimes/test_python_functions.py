"""What Python functions may look like."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]


@pytest.fixture
def run(start_python: Functions) -> Functions:
    """Starts one main.py and waits for it."""

    def run_main(source: str, handler: str = "main.handler", **environment: str) -> FunctionProcess:
        process = start_python({"main.py": source}, handler, **environment)
        process.wait_until_ready()
        return process

    return run_main


BLOCKING = """
import time
def handler(event):
    time.sleep(event.data)
    return "done"
"""


def test_a_blocking_handler_blocks_neither_health_nor_other_calls(run: Functions) -> None:
    process = run(BLOCKING, FUNCTION_CONCURRENCY="2")
    with ThreadPoolExecutor(1) as caller:
        slow = caller.submit(process.send, 1)
        time.sleep(0.2)
        begin = time.monotonic()
        assert process.request("GET", "/health/liveness").status == 200
        assert process.send(0).status == 200
        assert time.monotonic() - begin < 0.5
        assert slow.result().status == 200


def test_a_hanging_blocking_call_gives_its_place_to_others(run: Functions) -> None:
    process = run(BLOCKING, FUNCTION_CONCURRENCY="2", FUNCTION_TIMEOUT_SECONDS="0.3")
    assert process.send(30).status == 504
    assert [process.send(0).status for _ in range(4)] == [200] * 4
    assert process.request("GET", "/health/liveness").status == 200


def test_as_many_hanging_calls_as_the_concurrency_make_it_unhealthy(run: Functions) -> None:
    process = run(BLOCKING, FUNCTION_CONCURRENCY="1", FUNCTION_TIMEOUT_SECONDS="0.3")
    assert process.send(1).status == 504
    assert process.request("GET", "/health/liveness").status == 503
    time.sleep(1)
    assert process.request("GET", "/health/liveness").status == 200


def test_sys_exit_in_a_handler_ends_the_call_alone(run: Functions) -> None:
    process = run("import sys\ndef handler(event): sys.exit(3)")
    assert process.send().status == 500
    assert process.send().status == 500


def test_sys_exit_in_a_coroutine_ends_the_call_alone(run: Functions) -> None:
    process = run("import sys\nasync def handler(event): sys.exit(3)")
    assert process.send().status == 500
    assert process.send().status == 500


def test_a_timeout_of_the_handlers_own_is_no_504(run: Functions) -> None:
    process = run("def handler(event): raise TimeoutError('database')")
    assert process.send().json()["reason"] == "HandlerFailed"


def test_a_coroutine_out_of_a_plain_function_is_awaited(run: Functions) -> None:
    source = """
    async def work(event): return "awaited"
    handler = lambda event: work(event)
    """
    assert run(source.replace("\n    ", "\n")).send().json() == "awaited"


def test_prints_and_logging_reach_the_log_at_once(run: Functions) -> None:
    source = """
import logging
def handler(event):
    print("printed")
    logging.getLogger("mine").info("logged")
"""
    process = run(source)
    process.send()
    process.wait_for_log("printed")
    process.wait_for_log("INFO mine: logged")


def test_the_traceback_shows_the_users_frames_alone(run: Functions) -> None:
    process = run("def handler(event):\n    return 1 / 0\n")
    process.send()
    log = process.wait_for_log("ZeroDivisionError")
    assert "return 1 / 0" in log
    assert "lambda_runtime" not in log


def test_modules_and_data_files_beside_the_handler_are_found(start_python: Functions) -> None:
    files = {
        "main.py": "import errors, settings, server\nfrom deep.module import value\n"
        "def handler(event): return [errors.A, settings.A, server.A, value, open('d.txt').read()]",
        "errors.py": "A = 1",
        "settings.py": "A = 2",
        "server.py": "A = 3",
        "deep/module.py": "value = 4",
        "d.txt": "5",
    }
    process = start_python(files, "main.handler")
    process.wait_until_ready()
    assert process.send().json() == [1, 2, 3, 4, "5"]


def test_a_handler_in_a_package_is_found_by_its_dotted_name(start_python: Functions) -> None:
    process = start_python({"app/events.py": "def on(event): return 'ok'"}, "app.events.on")
    process.wait_until_ready()
    assert process.send().json() == "ok"


def test_packages_of_the_function_come_before_the_runtimes(start_python: Functions) -> None:
    files = {
        "main.py": "import jinja2, google.cloud.example as e\n"
        "def handler(event): return [jinja2.OWN, e.OWN]",
        "packages/jinja2/__init__.py": "OWN = True",
        "packages/google/cloud/example/__init__.py": "OWN = True",
    }
    process = start_python(files, "main.handler")
    process.wait_until_ready()
    assert process.send().json() == [True, True]


def test_click_of_a_function_is_not_the_runtimes(start_python: Functions) -> None:
    files = {
        "main.py": "import click\ndef handler(event): return click.OWN",
        "packages/click/__init__.py": "OWN = True",
    }
    process = start_python(files, "main.handler")
    process.wait_until_ready()
    assert process.send().json() is True


def test_a_function_may_use_all_of_uvicorn(run: Functions) -> None:
    source = """
import uvicorn
def handler(event):
    return [uvicorn.run.__name__, uvicorn.Server.__name__, hasattr(uvicorn, "absent")]
"""
    assert run(source).send().json() == ["run", "Server", False]


def test_the_cloudevents_sdk_2_of_a_function_is_used(start_python: Functions) -> None:
    sdk = """
class CloudEvent:
    def __init__(self, attributes, data=None):
        if len(attributes["id"]) > 20:
            raise ValueError("id is too long")
        self.attributes, self.data = attributes, data
    def get_attributes(self): return self.attributes
    def get_data(self): return self.data
"""
    files = {
        "main.py": "from cloudevents.core.v1.event import CloudEvent\n"
        "def handler(event):\n"
        "    a = event.get_attributes()\n"
        "    return CloudEvent({**a, 'year': a['time'].year}, event.get_data())",
        "packages/cloudevents/__init__.py": "",
        "packages/cloudevents/core/__init__.py": "",
        "packages/cloudevents/core/v1/__init__.py": "",
        "packages/cloudevents/core/v1/event.py": sdk,
    }
    process = start_python(files, "main.handler")
    process.wait_until_ready()
    answer = process.send({"a": 1}, time="2026-01-02T03:04:05Z")
    assert answer.headers["ce-year"] == "2026"
    assert answer.headers["ce-time"] == "2026-01-02T03:04:05Z"
    assert answer.json() == {"a": 1}
    assert process.send(id="x" * 30).status == 400
