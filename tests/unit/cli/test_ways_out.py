"""Every error says what to do."""

from __future__ import annotations

import ast
import re

from kn_lambda.program import command_about
from knative_lambda.domain.names import FunctionId
from tests.helpers.dev_overlay import REPOSITORY

SOURCES = REPOSITORY / "cli" / "src" / "kn_lambda"
ERRORS = {"CommandError", "WrongUsageError", "UnreachableError", "MissingError", "TimedOutError"}


def errors_without_a_hint():
    for file in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS:
                is_literal = isinstance(node.args[0], ast.Constant | ast.JoinedStr)
                text = "".join(
                    str(part.value) for part in ast.walk(node.args[0])
                    if isinstance(part, ast.Constant)
                )  # fmt: skip
                # Others, such as f"{option}: {error}", pass on a text that says it.
                if is_literal and any(map(str.isalpha, text)) and not node.keywords:
                    yield f"{file.relative_to(SOURCES)}: {text}"


def test_an_error_says_what_happened_and_then_what_to_do():
    assert list(errors_without_a_hint()) == []


def test_a_command_to_copy_names_the_namespace_of_the_function():
    assert command_about(FunctionId("default", "hello"), "logs") == "kn-lambda logs hello"
    assert command_about(FunctionId("team-a", "hello"), "logs") == "kn-lambda logs hello -n team-a"
    sources = {file: file.read_text() for file in SOURCES.rglob("*.py")}
    by_hand = re.compile(r"kn-lambda (describe|logs|set) \{(?!name\})")
    assert [file.name for file, text in sources.items() if by_hand.search(text)] == []
