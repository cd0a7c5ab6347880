"""The pictures of the command line show what it prints today."""

from __future__ import annotations

import importlib.util
import re
from xml.etree import ElementTree as ET

import pytest

from tests.helpers.dev_overlay import REPOSITORY

FOLDER = REPOSITORY / "docs" / "pictures"
PAGE = (REPOSITORY / "docs" / "COMMAND_LINE.md").read_text()


@pytest.fixture(scope="module")
def drawn():
    spec = importlib.util.spec_from_file_location("pictures", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pictures()


def test_pictures_are_as_the_code_draws_them_now(drawn):
    kept = {path.name: path.read_text() for path in FOLDER.glob("*.svg")}
    assert kept.keys() == drawn.keys(), "make pictures"
    assert [name for name in drawn if kept[name] != drawn[name]] == [], "make pictures"


def test_the_page_shows_each_picture_and_describes_it(drawn):
    shown = dict(re.findall(r"^!\[(.*?)\]\(pictures/(.*?)\)$", PAGE, re.MULTILINE | re.DOTALL))
    assert sorted(shown.values()) == sorted(drawn)
    assert all(len(text) > 20 for text in shown)


def test_a_picture_has_a_title_and_loads_and_runs_nothing(drawn):
    for content in drawn.values():
        root = ET.fromstring(content)
        assert root.get("role") == "img"
        assert root.findtext("{http://www.w3.org/2000/svg}title")
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "title", "style", "defs", "clipPath", "rect", "g", "text", "circle"}
        assert re.findall(r"url\((?!#)|@import|href|\bon\w+=", content) == []


def test_no_line_of_a_picture_is_cut_off(drawn):
    for name, content in drawn.items():
        places = set(re.findall(r'<clipPath id="(.*?)"', content))
        texts = ET.fromstring(content).iter("{http://www.w3.org/2000/svg}text")
        used = {text.get("clip-path", "")[5:-1] for text in texts if (text.text or "").strip()}
        assert used - {""} <= places, name
