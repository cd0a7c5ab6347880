"""How our documents are written."""

from __future__ import annotations

import re
import tomllib

import pytest

from knative_lambda.domain.events import OWN_EVENTS, PREFIX
from tests.helpers.dev_overlay import REPOSITORY
from tests.unit.config.helpers.documents import Document, codes, prose

# Records of a decision are not rewritten.
RECORDS = {path.relative_to(REPOSITORY) for path in (REPOSITORY / "docs/decisions").iterdir()}
FUNCTIONS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/main.py"))
LONGEST = 120


def documents():
    yield from REPOSITORY.glob("*.md")
    for folder in REPOSITORY.iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            yield from folder.rglob("*.md")


DOCUMENTS = sorted({path.relative_to(REPOSITORY) for path in documents()} - RECORDS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_lines_of_prose_are_short_enough_to_read_and_to_compare(path):
    text = (REPOSITORY / path).read_text()
    assert not [number for number, line in prose(text) if len(line) > LONGEST]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_links_lead_to_files_and_sections_that_are_there(path):
    text = (REPOSITORY / path).read_text()
    # What is written from a template is a document of that folder.
    folder = "docs" if path.name.endswith(".template.md") else path.parent
    for target, _, section in re.findall(r"\]\((?!https?:)([^)#\s]*)(#([^)\s]*))?\)", text):
        linked = (REPOSITORY / folder / target) if target else REPOSITORY / path
        assert linked.exists(), target
        if section:
            assert section in anchors(linked.read_text()), (target, section)


def anchors(text):
    """The sections that GitHub makes of the headings, and those written by hand."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    named = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    return named | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_nobody_counts_the_functions_since_there_will_be_another(path):
    text = " ".join((REPOSITORY / path).read_text().split())
    counted = r"\b(?:three|four|five|six|seven) (?:scale-to-zero |control )?functions\b"
    assert re.findall(counted, text, re.IGNORECASE) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_readme_shows_every_function(function):
    picture = re.search(r"```mermaid\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    assert f"[{function}]" in picture[1]


def test_the_readme_lists_every_event():
    rows = re.findall(
        r"^\| `([\w.]+\.v\d)` \|", (REPOSITORY / "README.md").read_text(), re.MULTILINE
    )
    assert {f"{PREFIX}.{name}" for name in rows} == OWN_EVENTS.keys()


def test_every_field_of_a_runtime_is_in_its_contract():
    rows = Document("BUILD_AND_RUNTIME.md").rows("field of `runtime.toml`")
    said = {code for row in rows for code in codes(row[0])}
    for path in REPOSITORY.glob("**/*runtime*/**/runtime.toml"):
        assert fields_of(tomllib.loads(path.read_text())) <= said


# Their keys are names of variables or files, or those of an editor.
OF_VARIABLES = {"environment", "settings_files", "caches", "requests", "official", "attach"}


def fields_of(table, name=""):
    """All fields in full; those of the two parts of images without the part."""
    found = set()
    for key, value in table.items():
        full = f"{name}{key}"
        part = name in {"images.base.", "images.builder."}
        found.add(key if part else full)
        is_variables = key in OF_VARIABLES and full != "interpreter.environment"
        if isinstance(value, dict) and not is_variables:
            found |= fields_of(value, f"{full}.")
    return found
