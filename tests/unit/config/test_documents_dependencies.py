"""The table of dependencies in README.md is what the packages declare, and what they import."""

from __future__ import annotations

import json
import re
import tomllib

from tests.helpers.dev_overlay import REPOSITORY

_, *TABLE = re.findall(
    r"^\| ([a-z0-9-]+) \| ([a-z/]+) \| [^|]+ \|$",
    (REPOSITORY / "README.md").read_text().partition("\n## Dependencies\n")[2],
    re.MULTILINE,
)
NAME = re.compile(r"[A-Za-z0-9.-]+")
MODULES = {
    "pyyaml": "yaml",
    "python-json-logger": "pythonjsonlogger",
    "python-dotenv": "dotenv",
}
# What is not imported by a statement of Python.
BY_NAME = {
    "express": r"require\(.*express",
    "functions-framework": r"\bfunctions_framework\b",
    "httptools": r"import httptools_impl",
    "uvloop": r'"uvloop"',
}
# Besides its own sources: what of a part stands elsewhere.
ELSEWHERE = {"shared": ["functions"], "builder": ["runtimes"]}


def toml(path):
    return tomllib.loads((REPOSITORY / path).read_text())


MEMBERS = toml("pyproject.toml")["tool"]["uv"]["workspace"]["members"]


def names(requirements):
    return {NAME.match(line)[0] for line in requirements}


def declared():
    projects = {member: toml(f"{member}/pyproject.toml")["project"] for member in MEMBERS}
    ours = {project["name"] for project in projects.values()}
    for member, project in projects.items():
        for name in names(project["dependencies"]) - ours:
            yield name, member
    lines = (REPOSITORY / "runtimes/python/requirements.in").read_text().splitlines()
    for name in names(line for line in lines if line and not line.startswith("#")):
        yield name, "runtimes/python"
    package = json.loads((REPOSITORY / "requirements/express/package.json").read_text())
    for name in package["dependencies"]:
        yield name, "runtimes/nodejs"


def text_of(part):
    for folder in (part, *ELSEWHERE.get(part, ())):
        for file in (REPOSITORY / folder).rglob("*"):
            is_template = "templates" in file.relative_to(REPOSITORY).parts
            if file.suffix in {".py", ".js", ".mjs"} and not is_template:
                yield file.read_text()


def test_the_table_names_what_the_packages_declare():
    assert len(TABLE) == len(set(TABLE))
    assert set(TABLE) == set(declared())


def test_every_part_uses_what_the_table_says():
    sources = {part: "\n".join(text_of(part)) for _, part in TABLE}
    for name, part in TABLE:
        module = MODULES.get(name, name.replace("-", "_"))
        use = BY_NAME.get(name, rf"^\s*(from|import) {module}\b")
        assert re.search(use, sources[part], re.MULTILINE), f"{part} does not use {name}"
