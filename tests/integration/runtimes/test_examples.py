"""Every example, installed by its recipe from the machine's package index, and called."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.integration.runtimes.helpers.function_process import FunctionProcess
from tests.integration.runtimes.helpers.recipe_process import run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.runtimes.helpers.function_process import Answer

    Invoke = Callable[..., Answer]

EXAMPLES = Path(__file__).parents[3] / "examples"
# What makes this machine's package index reachable: certificates, proxies, addresses, cache.
MACHINE = ("SSL_", "NODE_EXTRA", "npm_config_", "NPM_CONFIG_", "UV_", "HTTP", "NO_PROXY", "http")


def machine_settings() -> dict[str, str]:
    variables = os.environ.items()  # noqa: TID251 - handed on as the platform hands them on
    return {name: value for name, value in variables if name.startswith(MACHINE)}


@pytest.fixture
def invoke(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Invoke]:
    running: list[FunctionProcess] = []

    def install_and_invoke(example: str, **settings: str) -> Answer:
        folder = EXAMPLES / example
        function = yaml.safe_load((folder / "function.yaml").read_text())
        language = function["spec"]["runtime"]
        fixture = "python_command" if language == "python" else "node_command"
        command = request.getfixturevalue(fixture)
        files = {
            str(path.relative_to(folder)): path.read_text()
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        run = run_recipe(language, files, tmp_path, **machine_settings())
        assert run.status == 0, run.log
        packages = {"python": "packages", "nodejs": "node_modules"}[language]
        if packages != "packages":
            run.packages.rename(tmp_path / packages)
        environment = {v["name"]: v["value"] for v in function["spec"].get("env", [])}
        environment["FUNCTION_HANDLER"] = function["spec"]["handler"]
        process = FunctionProcess(command, tmp_path, environment | settings)
        running.append(process)
        process.wait_until_ready()
        if settings:
            return process.request("GET", "/?name=Ada")
        answer = process.send_structured(json.loads((folder / "event.json").read_text()))
        assert process.stop() == 0
        return answer

    yield install_and_invoke
    for process in running:
        process.close()


def test_hello_python_greets(invoke: Invoke) -> None:
    answer = invoke("hello-python")
    assert answer.json() == {"message": "Hello, Ada!"}
    assert answer.headers["ce-type"] == "com.example.greeting.requested.reply"


def test_order_pricer_answers_another_event(invoke: Invoke) -> None:
    answer = invoke("order-pricer")
    assert answer.headers["ce-type"] == "com.example.order.priced"
    priced = answer.json()
    assert (priced["total"], priced["deliveryDay"]) == ("49.50", "2026-01-19")
    assert "4 x cup: 25.00 EUR" in priced["receipt"]


def test_order_confirmation_takes_what_order_pricer_answers(invoke: Invoke) -> None:
    answer = invoke("order-confirmation")
    assert answer.headers["ce-type"] == "com.example.order.confirmed"
    assert answer.json()["text"].endswith("costs 49.50 EUR. The tea shop")


def test_the_functions_framework_sample_runs_unchanged(invoke: Invoke) -> None:
    assert invoke("functions-framework-sample").status == 204


def test_its_http_function_runs_too(invoke: Invoke) -> None:
    answer = invoke("functions-framework-sample", FUNCTION_HANDLER="main.hello_http")
    assert answer.body == b"Hello Ada!\n"


def test_hello_node_answers_another_event(
    invoke: Invoke, require_server: Callable[[str, str], str]
) -> None:
    require_server("npm", "apt-get install npm")
    answer = invoke("hello-node")
    assert answer.headers["ce-type"] == "com.example.visit.greeted"
    assert answer.json() == {"message": "Hello, Ada!", "staySeconds": 7200}
