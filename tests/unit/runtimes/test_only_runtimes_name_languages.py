"""What is known of a language is in its folder of `runtimes/`: no package names one.

Code and strings are looked through; comments and docstrings may give examples.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[3]
PACKAGES = ("shared", "oci", "builder", "sandbox", "embedded", "cli")

# The platform is a Python program itself, and this is where it says so. Each place is a text of the
# code in which a language is named, and the reason why the folder of the language cannot say it.
ALLOWED: dict[str, dict[str, str]] = {
    "cli/src/kn_lambda/uninstalling/installed_files.py": {
        "pip": "how kn-lambda itself was installed, and is removed",
        "uv-receipt.toml": "the same",
        "uv tool uninstall ": "the same",
        ".venv": "where a checkout has kn-lambda",
    },
    "shared/src/knative_lambda/inbound/json_logging.py": {
        "pythonjsonlogger.json": "a library of ours",
    },
    "shared/src/knative_lambda/domain/language.py": {
        'must be JSON such as [{"name": "python", "suffixes": [".py"], "packages": "packages",'
        ' "defaultHandler": "main.handler"}]': "an example for whoever writes the setting",
    },
    "shared/src/knative_lambda/manifests/build_job.py": {
        "python": "the builder's program: python -I -m lambda_builder.packages",
    },
    "cli/src/kn_lambda/deploying/saves.py": {
        "rust_timeout": "an option of a library of ours",
    },
    "builder/src/lambda_builder/own_interpreter.py": {
        "python": "a name of our own interpreter",
        "python3": "another",
    },
    "builder/src/lambda_builder/recipe.py": {
        "PYTHONPATH": "a recipe in Python finds the builder's packages",
        "PYTHONUNBUFFERED": "the build log shows the lines of a recipe in Python at once",
    },
    "embedded/src/lambda_embedded/__main__.py": {
        "python -m lambda_embedded": "the name of this program in its own help",
    },
    "embedded/src/lambda_embedded/guarded_function/__init__.py": {
        "main.py": "control functions are Python",
    },
    "embedded/src/lambda_embedded/guarded_function/main.py": {
        " is not a Python file": "control functions are Python",
    },
    "sandbox/src/lambda_sandbox/isolation/supervision.py": {
        "supervisor.py": "a file of ours, run by our own interpreter",
    },
    "sandbox/src/lambda_sandbox/isolation/supervisor.py": {
        "_IGNORED_BY_PYTHON": "signals that our own interpreter ignores",
    },
    "embedded/src/lambda_embedded/schemas/rules.py": {
        "cel_expr_python": "a library of ours",
        "rules in CEL are not checked: cel-expr-python has no build for this Python": "the same",
    },
    "embedded/src/lambda_embedded/serving/launchers/function_launcher.py": {
        "main.py": "control functions are Python",
    },
    "embedded/src/lambda_embedded/processes/environment.py": {
        "PYTHONUNBUFFERED": "control functions, and any image of a person's, may be Python",
    },
}

# What people, files and tools call languages besides what their folders say.
_OTHER_NAMES = {
    "javascript", "typescript", "ecmascript", "pip", "pypi", "venv", "virtualenv", "pyc", "pycache",
    "pyproject", "npmrc", "pypirc", "yarn", "yarnrc", "pnpm", "golang", "rust", "ruby",
    "perl", "php",
}  # fmt: skip
# Kubernetes has Nodes, and trees have nodes.
_AMBIGUOUS = {"node"}
_AS_A_PROGRAM = re.compile(r"(.*/)?node(\.?js|_modules.*)?|.*\bnode\.?js\b.*", re.IGNORECASE)


def names() -> set[str]:
    """The words by which a language is known, in lower case."""
    found = set(_OTHER_NAMES)
    for file in (REPOSITORY / "runtimes").glob("*/runtime.toml"):
        language = tomllib.loads(file.read_text())
        source, installer = language.get("source", {}), language.get("installer", {})
        found |= {language["language"], language["entrypoint"][0]}
        found |= {suffix.lstrip(".") for suffix in source.get("suffixes", [])}
        found |= set(installer.get("programs", []))
    return {name.lower() for name in found}


NAMES = names()


def names_a_language(text: str, *, is_string: bool = False) -> bool:
    """Whether a word of a text, or a part of an identifier, is the name of a language."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)
    for word in map(str.lower, words):
        if word in NAMES - _AMBIGUOUS or word.startswith("python"):
            return True
    return is_string and bool(_AS_A_PROGRAM.fullmatch(text))


def texts_of(code: str) -> Iterator[tuple[str, bool]]:
    """The identifiers and strings of a module, and which of them are strings; no docstrings."""
    tree = ast.parse(code)
    documents = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            documents.add(node.value)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if node not in documents:
                yield text, True
            case ast.Constant(value=bytes(content)):
                yield content.decode(errors="replace"), True
            case (
                ast.Name(id=name)
                | ast.Attribute(attr=name)
                | ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.keyword(arg=str(name))
                | ast.ImportFrom(module=str(name))
            ):
                yield name, False
            case ast.alias(name=name, asname=other):
                yield f"{name} {other or ''}".strip(), False


def named_in(code: str) -> set[str]:
    return {text for text, kind in set(texts_of(code)) if names_a_language(text, is_string=kind)}


# Not while tests are collected, which every process of a run does: five hundred files are read.
@pytest.fixture(scope="module")
def found() -> dict[str, set[str]]:
    files = (file for package in PACKAGES for file in (REPOSITORY / package / "src").rglob("*.py"))
    return {file.relative_to(REPOSITORY).as_posix(): named_in(file.read_text()) for file in files}


def test_no_package_names_a_language_but_where_it_is_allowed(found: dict[str, set[str]]) -> None:
    """Where one does, say it in runtimes/<language>/runtime.toml; what is gone leaves the list."""
    assert {file: texts for file, texts in found.items() if texts} == {
        file: set(texts) for file, texts in ALLOWED.items()
    }


@pytest.mark.parametrize(
    "code",
    [
        'SUFFIXES = (".py",)',
        'if runtime == "python3.12": pass',
        'run(["npm", "ci"])',
        'program = "/usr/bin/node"',
        "f\"Install {'x'} with pip\"",
        "node_modules = PYTHON_VERSION",
        "def find_nodejs(): pass",
        'hint = "Install Node.js first"',
        "import venv",
    ],
)
def test_a_mention_is_found(code: str) -> None:
    assert any(names_a_language(text, is_string=kind) for text, kind in texts_of(code))


@pytest.mark.parametrize(
    "code",
    [
        '"""Python."""',
        "x = 1  # Python",
        'reason = "no node takes the Pod"',
        "node.nodeName = pipe(subprocess.PIPE)",
        "requirements = uvicorn_like(express)",
    ],
)
def test_other_words_are_not_taken_for_one(code: str) -> None:
    assert not any(names_a_language(text, is_string=kind) for text, kind in texts_of(code))
