"""The map in docs/ARCHITECTURE.md shows what is there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.helpers.dev_overlay import REPOSITORY
from tests.unit.config.helpers.documents import Document, by_code, codes

MAP = Document("ARCHITECTURE.md")
PORTS = REPOSITORY / "shared/src/knative_lambda/ports.py"
ADAPTERS = "shared/src/knative_lambda/adapters"
PRODUCT = (
    "functions",
    "shared",
    "oci",
    "builder",
    "runtimes",
    "sandbox",
    "embedded",
    "cli",
    "images",
)
# Packages whose every folder is on the map.
WHOLE = (
    "shared/src/knative_lambda",
    "oci/src/lambda_oci",
    "sandbox/src/lambda_sandbox",
    "embedded/src/lambda_embedded",
    "cli/src/kn_lambda",
)
BUILDER = "builder/src/lambda_builder"
LOCAL = {"__pycache__", "dist", "node_modules"}


def tree():
    """Every path of the annotated tree, each below the nearest line that stands further left."""
    (text,) = re.findall(r"## The repository\n\n```\n(.*?)```", MAP.text, re.DOTALL)
    above = []
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        above[depth:] = [line.split()[0]]
        yield "".join(above)


def folders(parent):
    return {
        path.name
        for path in (REPOSITORY / parent).iterdir()
        if path.is_dir() and path.name not in LOCAL and not path.name.startswith((".", "__"))
        if not path.name.endswith(".egg-info")
    }


@pytest.mark.parametrize("path", list(tree()))
def test_a_path_of_the_tree_is_there(path):
    assert (REPOSITORY / path).exists()
    assert (REPOSITORY / path).is_dir() == path.endswith("/")


def test_every_folder_at_the_top_is_in_the_tree():
    assert folders(".") == {path.partition("/")[0] for path in tree()}


@pytest.mark.parametrize("package", WHOLE)
def test_every_folder_of_a_package_is_in_the_tree(package):
    below = [path.removeprefix(f"{package}/") for path in tree() if path.startswith(f"{package}/")]
    assert folders(package) == {path.partition("/")[0] for path in below if "/" in path}


def test_every_function_is_in_the_tree():
    assert {f"functions/{name}/" for name in folders("functions")} <= set(tree())


@cache
def sources():
    """Every source file of the product, of which a walk names the end of the path."""
    return [path for folder in PRODUCT for path in (REPOSITORY / folder).rglob("*.py")]


PACKAGE_OF = {path.split("/")[0]: path.rsplit("/", 1)[1] for path in (*WHOLE, BUILDER)} | {
    "images": "images"
}


def imported_by(folder):
    """Every module of ours that a file below a folder imports, also for its types alone."""
    for path in (REPOSITORY / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [name.name for name in node.names]
            else:
                modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                if module.partition(".")[0] in PACKAGE_OF.values():
                    yield path.relative_to(REPOSITORY).as_posix(), module


@pytest.mark.parametrize("row", MAP.rows("folder", "may import"), ids=lambda row: row[0])
def test_a_folder_imports_what_the_document_allows(row):
    folder, words = codes(row[0])[0].rstrip("/"), re.findall(r"\w+", re.sub(r"`.*?`", "", row[1]))
    modules = {*codes(row[1]), PACKAGE_OF.get(folder)}
    packages = {PACKAGE_OF[word] for word in words if word in PACKAGE_OF}
    places = ADAPTERS if "adapters only" in row[1] else folder
    for path, module in imported_by(folder):
        allowed = modules | (packages if path.startswith(places) else set())
        assert any(f"{module}.".startswith(f"{name}.") for name in allowed), (path, module)


def test_every_folder_of_the_product_has_its_imports():
    assert {codes(row[0])[0].rstrip("/") for row in MAP.rows("folder", "may import")} == set(
        PRODUCT
    )


@cache
def names(path):
    """Functions, classes, methods and constants that a file defines, methods as `Class.method`."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{part.name}" for part in node.body if hasattr(part, "name")}
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def places():
    """Every `file.py:name` of the document."""
    return sorted(set(re.findall(r"`([\w.-]+/[\w/.-]+\.py):([\w.]+)`", MAP.text)))


@pytest.mark.parametrize(("file", "name"), places())
def test_a_place_that_the_document_names_is_there(file, name):
    (path,) = [
        path for path in sources() if f"/{path.relative_to(REPOSITORY)}".endswith(f"/{file}")
    ]
    assert name in names(path)


def test_the_walks_name_many_places():
    walks = re.findall(r"## Walkthrough \d: .*?(?=\n## )", MAP.text, re.DOTALL)
    assert len(walks) == 3
    assert all(len(re.findall(r"\.py:", walk)) >= 7 for walk in walks)


def ports():
    return {
        node.name for node in ast.parse(PORTS.read_text()).body if isinstance(node, ast.ClassDef)
    }


def test_every_port_is_there_with_its_adapters():
    assert by_code(MAP.rows("port", "what for", "adapters")).keys() == ports()


@pytest.mark.parametrize("row", MAP.rows("port", "what for", "adapters"), ids=lambda row: row[0])
def test_an_adapter_is_in_the_file_that_the_document_names(row):
    adapters = [code.partition(":") for code in codes(row[2]) if ":" in code]
    assert adapters
    for file, _, name in adapters:
        assert name in names(REPOSITORY / ADAPTERS / file)


def test_the_first_files_to_read_are_there():
    text = MAP.text.partition("## Start here")[2].partition("\n## ")[0]
    files = [code for code in codes(text) if code.endswith(".py")]
    assert len(files) == 3
    assert all((REPOSITORY / file).is_file() for file in files)


def test_every_path_in_backquotes_is_there():
    mentioned = {code for code in codes(MAP.text) if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", code)}
    paths = {code for code in mentioned if code.partition("/")[0] in folders(".")}
    assert paths
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
