"""How a Python function's start ends: its file is found whatever its name, or one line says why."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

HELLO = "def handler(event): return 'hello'\n"
USES_CALENDAR = """
import calendar
import email.utils
import http.cookiejar

def handler(event):
    return [calendar.isleap(2024), email.utils.formatdate(0), __name__]
"""


def last_line(process: FunctionProcess) -> str:
    assert process.ended() == 1
    return process.log.splitlines()[-1]


# Files of any name


@pytest.mark.parametrize(
    "name",
    [
        "calendar",  # standard library, not loaded yet
        "logging",  # loaded already
        "socket",
        "this",  # would print at its import
        "uvicorn",  # the runtime's
        "flask",
        "lambda_runtime",
        "server",
        "main-2",
        "2024",
        "my.function",
        "a.b.c",
        "__main__",
    ],
)
def test_a_file_of_any_name_is_the_handlers(start_python: Functions, name: str) -> None:
    process = start_python({f"{name}.py": HELLO}, f"{name}.handler")
    process.wait_until_ready()
    assert process.send().json() == "hello"
    assert "Zen" not in process.log


@pytest.mark.parametrize("name", ["flask", "uvicorn", "logging", "calendar"])
def test_a_file_of_any_name_serves_http(start_python: Functions, name: str) -> None:
    files = {f"{name}.py": "import flask\ndef handler(request): return flask.jsonify(request.path)"}
    process = start_python(files, f"{name}.handler", FUNCTION_SIGNATURE="http")
    process.wait_until_ready()
    assert process.request("GET", "/path").json() == "/path"


def test_the_module_of_that_name_is_everybodys_still(start_python: Functions) -> None:
    process = start_python({"calendar.py": USES_CALENDAR}, "calendar.handler")
    process.wait_until_ready()
    expected = [True, "Thu, 01 Jan 1970 00:00:00 -0000", "function_calendar"]
    assert process.send().json() == expected


def test_a_dataclass_works_in_a_file_of_any_name(start_python: Functions) -> None:
    source = """
from __future__ import annotations
import dataclasses, pickle, typing

@dataclasses.dataclass
class Item:
    price: int

def handler(event):
    hints = typing.get_type_hints(Item)
    return [hints["price"].__name__, pickle.loads(pickle.dumps(Item(3))).price]
"""
    process = start_python({"logging.py": source}, "logging.handler")
    process.wait_until_ready()
    assert process.send().json() == ["int", 3]


@pytest.mark.parametrize("package", [{}, {"logging/__init__.py": ""}])
def test_a_folder_of_any_name_is_the_handlers(
    start_python: Functions, package: dict[str, str]
) -> None:
    files = {
        "logging/api.py": "from .greeting import TEXT\nimport logging\n"
        "def on(event): return [TEXT, logging.INFO]",
        "logging/greeting.py": "TEXT = 'hello'",
        **package,
    }
    process = start_python(files, "logging.api.on")
    process.wait_until_ready()
    assert process.send().json() == ["hello", 20]


@pytest.mark.parametrize("signature", ["http", "cloudevent"])
def test_a_folder_without_init_may_have_a_name_of_the_library_too(
    start_python: Functions, signature: str
) -> None:
    files = {"code/main.py": "from .t import T\ndef on(event): return T", "code/t.py": "T = 'hi'"}
    process = start_python(files, "code.main.on", FUNCTION_SIGNATURE=signature)
    process.wait_until_ready()
    assert b"hi" in process.send().body


def test_a_package_named_as_a_module_that_nobody_uses_is_itself(start_python: Functions) -> None:
    files = {
        "code/__init__.py": "",
        "code/main.py": "from code.texts import TEXT\ndef on(event): return TEXT",
        "code/texts.py": "TEXT = 'hello'",
    }
    process = start_python(files, "code.main.on")
    process.wait_until_ready()
    assert process.send().json() == "hello"


def test_the_handlers_module_is_one_with_what_others_import(start_python: Functions) -> None:
    files = {
        "app.py": "SEEN = []\nimport helper\ndef handler(event): return SEEN",
        "helper.py": "import app\napp.SEEN.append('once')",
    }
    process = start_python(files, "app.handler")
    process.wait_until_ready()
    assert process.send().json() == ["once"]


@pytest.mark.parametrize(
    ("file", "handler"),
    [
        ("src/my.function.py", "src/my.function.handler"),
        ("src/app.py", "src/app.handler"),
        ("src/app.py", "src.app.handler"),
    ],
)
def test_a_file_is_found_by_its_path(start_python: Functions, file: str, handler: str) -> None:
    process = start_python({file: HELLO}, handler)
    process.wait_until_ready()
    assert process.send().json() == "hello"


def test_of_two_files_the_one_of_that_very_name_is_taken(start_python: Functions) -> None:
    files = {"my.function.py": HELLO, "my/function.py": "raise RuntimeError"}
    process = start_python(files, "my.function.handler")
    process.wait_until_ready()
    assert process.send().json() == "hello"


def test_a_handler_may_be_in_a_package_of_the_function(start_python: Functions) -> None:
    process = start_python(
        {"main.py": "", "packages/bought/api.py": "def on(event): return 'bought'"}, "bought.api.on"
    )
    process.wait_until_ready()
    assert process.send().json() == "bought"


@pytest.mark.parametrize(
    "handler", ["logging.handler", "json.dumps", "flask.Flask", "os.path.join"]
)
def test_the_librarys_modules_are_no_handlers(start_python: Functions, handler: str) -> None:
    process = start_python({"main.py": HELLO}, handler)
    line = last_line(process)
    assert line.startswith("HandlerNotFound: there is no ")
    assert line.endswith(" in the source (it contains: main.py)")


@pytest.mark.parametrize(
    "handler", ["handler", ".handler", "a..handler", "../main.handler", "main."]
)
def test_what_names_no_file_is_no_handler(start_python: Functions, handler: str) -> None:
    process = start_python({"main.py": HELLO}, handler)
    line = last_line(process)
    assert line.startswith("InvalidHandler: ")
    assert line.endswith("write it as file.function")


# src layout


@pytest.mark.parametrize("handler", ["app.main.handler", "src.app.main.handler"])
def test_a_project_with_its_packages_in_src_runs(start_python: Functions, handler: str) -> None:
    files = {
        "pyproject.toml": "[project]\nname = 'app'\nversion = '1'\n",
        "src/app/__init__.py": "",
        "src/app/texts.py": "TEXT = 'hello'",
        "src/app/main.py": "from app.texts import TEXT\ndef handler(event): return TEXT",
    }
    process = start_python(files, handler)
    process.wait_until_ready()
    assert process.send().json() == "hello"


def test_a_package_of_the_source_elsewhere_is_not_asked_of_an_index(
    start_python: Functions,
) -> None:
    process = start_python({"main.py": "import app", "lib/app/__init__.py": ""}, "main.handler")
    expected = (
        "SourceNotImportable: main: No module named 'app' "
        "(lib/app of the source is lib.app; if you mean a package, name it in requirements.txt)"
    )
    assert last_line(process) == expected


def test_src_without_a_project_says_what_is_missing(start_python: Functions) -> None:
    process = start_python({"main.py": "import app", "src/app.py": ""}, "main.handler")
    assert last_line(process).endswith(
        "(src/app.py of the source is found where a pyproject.toml lies beside src)"
    )


def test_a_module_that_a_package_of_the_source_lacks_is_not_asked_of_an_index(
    start_python: Functions,
) -> None:
    process = start_python({"main.py": "import app.gone", "app/__init__.py": ""}, "main.handler")
    assert last_line(process).endswith("(app of the source has no such module)")


@pytest.mark.parametrize("package", [{}, {"app/__init__.py": ""}])
def test_a_file_that_its_folder_lacks_is_told_as_missing(
    start_python: Functions, package: dict[str, str]
) -> None:
    process = start_python({"app/other.py": "", **package}, "app.main.handler")
    expected = (
        "HandlerNotFound: there is no app.main.py or app/main.py in the source (it contains: app)"
    )
    assert last_line(process) == expected


def test_a_handlers_file_elsewhere_is_named_as_it_has_to_be_asked_for(
    start_python: Functions,
) -> None:
    process = start_python({"lib/app/main.py": HELLO}, "app.main.handler")
    assert last_line(process) == (
        "HandlerNotFound: there is no app.main.py or app/main.py in the source;"
        " for lib/app/main.py use the handler lib.app.main.handler"
    )


def test_a_missing_package_is_asked_of_the_file_that_is_there(start_python: Functions) -> None:
    process = start_python({"main.py": "import gone", "pyproject.toml": ""}, "main.handler")
    assert last_line(process).endswith("(name its package in pyproject.toml)")


# One line with its reason


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "raise ValueError('line 1\\nline 2\\n  line 3')",
            "main: ValueError: line 1 line 2 line 3",
        ),
        ("import sys; sys.stderr.close(); 1 / 0", "main: ZeroDivisionError: division by zero"),
        ("import sys; sys.stderr = None; 1 / 0", "main: ZeroDivisionError: division by zero"),
        ("import os; os.close(2); 1 / 0", "main: ZeroDivisionError: division by zero"),
        (
            "import os; os.dup2(os.open(os.devnull, os.O_WRONLY), 2); 1 / 0",
            "main: ZeroDivisionError: division by zero",
        ),
        ("import sys; sys.stdout.close(); 1 / 0", "main: ZeroDivisionError: division by zero"),
        ("import atexit; atexit.register(print, 'bye'); 1 / 0", "main: ZeroDivisionError"),
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()\n1 / 0",
            "main: ZeroDivisionError",
        ),
        ("raise KeyboardInterrupt", "main: KeyboardInterrupt"),
        ("raise BaseException('base')", "main: BaseException: base"),
        ("import sys; sys.exit('bye\\nbye')", "main: SystemExit: bye bye"),
        (
            "class Odd(Exception):\n  def __str__(self): raise KeyError\nraise Odd",
            "main: Odd: (its text raised KeyError)",
        ),
        ("raise ValueError('x' * 10_000_000)", "main: ValueError: xxx"),
        ("raise ValueError('\\udcff')", "main: ValueError: \\udcff"),
    ],
)
def test_a_start_that_fails_ends_with_one_line_of_its_reason(
    start_python: Functions, source: str, said: str
) -> None:
    line = last_line(start_python({"main.py": source}, "main.handler"))
    assert line.startswith(f"SourceNotImportable: {said}")
    assert len(line) < 2100


def test_packages_that_do_not_fit_together_are_such_a_line(
    start_python: Functions, python_packages: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "packages").symlink_to(python_packages("flask==2.2.2", "werkzeug==3.1.3"))
    files = {"main.py": "def handler(request): ..."}
    line = last_line(start_python(files, "main.handler", FUNCTION_SIGNATURE="http"))
    expected = "SourceNotImportable: what serves main.handler: ImportError: cannot import name"
    assert line.startswith(f"{expected} 'url_quote' from 'werkzeug.urls'")


@pytest.mark.parametrize("package", ["flask", "httptools", "uvloop", "cloudevents"])
def test_a_broken_package_of_the_servers_is_such_a_line(
    start_python: Functions, package: str
) -> None:
    files = {"main.py": HELLO, f"packages/{package}/__init__.py": "1 / 0"}
    signature = "http" if package == "flask" else "cloudevent"
    process = start_python(files, "main.handler", FUNCTION_SIGNATURE=signature)
    expected = "SourceNotImportable: what serves main.handler: ZeroDivisionError: division by zero"
    assert last_line(process) == expected
    assert f"packages/{package}/__init__.py" in process.log


def test_a_port_in_use_is_such_a_line(start_python: Functions) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = last_line(start_python({"main.py": HELLO}, "main.handler", PORT=str(port)))
    assert line.startswith(f"InvalidSettings: nothing can listen at HOST 127.0.0.1, PORT {port}: ")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_ours_is_such_a_line(start_python: Functions, host: str) -> None:
    line = last_line(start_python({"main.py": HELLO}, "main.handler", HOST=host))
    assert line.startswith(f"InvalidSettings: nothing can listen at HOST {host}, PORT ")


def test_a_port_that_is_none_is_such_a_line(start_python: Functions) -> None:
    line = last_line(start_python({"main.py": HELLO}, "main.handler", PORT="70000"))
    assert line == (
        'InvalidSettings: PORT is "70000"; it must be a number of at least 0 and at most 65535'
    )


def test_an_asgi_application_that_fails_to_start_is_such_a_line(start_python: Functions) -> None:
    source = """
from starlette.applications import Starlette
async def lifespan(app):
    raise RuntimeError("no database")
    yield
app = Starlette(lifespan=lifespan)
"""
    process = start_python({"main.py": source}, "main.app", FUNCTION_SIGNATURE="http")
    assert last_line(process).startswith("SourceNotImportable: ")
    assert "no database" in process.log
