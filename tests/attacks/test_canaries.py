"""The search for secrets finds them in whatever form they leak."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from tests.helpers.archives import ZipMember, gzipped, tar_bytes, tar_member, zip_bytes
from tests.helpers.canaries import Canaries, files_below

SECRET = "p@ss/word+canary?&=1"
RAW = SECRET.encode()


def in_base64(before: bytes, after: bytes = b"") -> bytes:
    return base64.b64encode(before + RAW + after)


FORMS = [
    b"before " + RAW,
    *(in_base64(b"x" * shift, b"y" * rest) for shift in range(4) for rest in range(3)),
    base64.urlsafe_b64encode(b"user:" + RAW),
    quote(SECRET, safe="").encode(),
    RAW.hex().encode(),
    gzipped(RAW),
    gzipped(gzipped(RAW)),
    zip_bytes(ZipMember(name=b"a", content=RAW)),
    gzipped(tar_bytes(tar_member("a", b"1"), tar_member("b", gzipped(RAW)))),
    tar_bytes(tar_member(quote(SECRET, safe=""))),
]


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_a_secret_is_found_in_every_form(form: int) -> None:
    canaries = Canaries({"it": SECRET, "other": "of-somebody-else"})
    assert set(canaries.found_in({"place": FORMS[form]})) == {("place", "it")}


def test_nothing_is_found_where_no_secret_is() -> None:
    content = gzipped(tar_bytes(tar_member("a", b"p@ss/word")))
    assert Canaries({"it": SECRET}).found_in({"place": content, "text": "p@ss"}) == []


def test_names_of_files_and_targets_of_links_are_searched(tmp_path) -> None:
    (tmp_path / "a-canary-name").write_text("")
    (tmp_path / "link").symlink_to("a-canary-target")
    places = files_below(tmp_path)
    found = Canaries({"name": "canary-name", "target": "canary-target"}).found_in(places)
    assert {name for _, name in found} == {"name", "target"}


def test_a_secret_that_could_be_anywhere_by_chance_is_refused() -> None:
    with pytest.raises(AssertionError, match="too short"):
        Canaries().add("it", "abc")
