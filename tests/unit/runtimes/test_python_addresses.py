"""Two programs never read an address that the recipe of Python allows in different ways."""

from __future__ import annotations

import pytest
from addresses import Policy, parse_address, read_prefixes
from downloads import Credential
from installer_errors import RecipeError
from package_index import PackageIndex

ALLOWED = Policy(prefixes=("https://files.example.com/team", "https://git.example.com:8443/"))


def refusal(url: str) -> str | None:
    try:
        ALLOWED.check_file(url, "x", "requirements.txt line 1")
    except RecipeError as error:
        return f"{error.reason}, {error.exit_code}: {error.message}"
    return None


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.com/team/x-1-py3-none-any.whl",
        "https://FILES.example.com:443/team/a/x-1-py3-none-any.whl",
        "https://files.example.com./team/x.whl?download=1",
        "https://files.example.com/team/x-1%2Bcpu-py3-none-any.whl",
        "https://git.example.com:8443/x.whl",
    ],
)
def test_an_address_below_a_prefix_is_allowed(url: str) -> None:
    assert refusal(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example.com/team/x.whl",
        "https://files.example.com:444/team/x.whl",
        "https://files.example.com/teams/x.whl",
        "https://files.example.com/x.whl",
        "https://files.example.com/team/../x.whl",
        "https://files.example.com/team/%2e%2e/x.whl",
        "https://files.example.com/team%2f..%2f/x.whl",
        "https://files.example.com/team/%252e%252e/x.whl",
        "https://files.example.com//team/x.whl",
        "https://files.example.com/team\\..\\x.whl",
        "https://files.example.com\\@evil.example/team/x.whl",
        "https://evil.example/https://files.example.com/team/x.whl",
        "https://files.example.com@evil.example/team/x.whl",
        "https://files.example.com.evil.example/team/x.whl",
        "https://me:secret@files.example.com/team/x.whl",
        "https://files.example.com/team/\tx.whl",
        "https://f\u0456les.example.com/team/x.whl",
        "https:/files.example.com/team/x.whl",
        "https://files.example.com:port/team/x.whl",
        "https://[::1/team/x.whl",
        "file:///etc/passwd",
        "ftp://files.example.com/team/x.whl",
        "https://",
        "",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    message = refusal(url)
    assert message is not None
    assert message.startswith("PackageSourceRefused, 1: requirements.txt line 1: x: ")
    assert "secret" not in message


def test_git_is_allowed_by_a_setting_and_a_prefix_and_a_commit() -> None:
    allowing = Policy(prefixes=ALLOWED.prefixes, allow_git=True)
    url, commit = "https://git.example.com:8443/x.git", "0123456789abcdef" * 2 + "01234567"
    allowing.check_git(url, commit, "x", "uv.lock")
    for policy, repository, revision in (
        (ALLOWED, url, commit),
        (allowing, "https://evil.example/x.git", commit),
        (allowing, url, "main"),
        (allowing, url, ""),
        (allowing, url, commit[:8]),
    ):
        with pytest.raises(RecipeError, match="PackageSourceRefused"):
            policy.check_git(repository, revision, "x", "uv.lock")


def test_a_package_of_git_is_refused_with_the_way_out() -> None:
    with pytest.raises(RecipeError) as caught:
        ALLOWED.check_git("https://git.example.com/x.git", "", "x", "uv.lock")
    assert caught.value.message == (
        "uv.lock: x: it would come from git, which the platform does not allow."
        " Take it from the index, or have the platform's operator allow git and the address"
    )


@pytest.mark.parametrize("text", ["x", "{}", '["ftp://x"]', "[1]", '["https://me:pw@x"]', "1"])
def test_a_setting_of_prefixes_that_cannot_be_read_is_the_platforms_mistake(text: str) -> None:
    if text == "{}":
        assert read_prefixes(text) == ()
        return
    with pytest.raises(RecipeError) as caught:
        read_prefixes(text)
    assert caught.value.exit_code == 75
    assert "pw" not in caught.value.message


@pytest.mark.parametrize(
    ("index", "same"),
    [
        ("https://pypi.org/simple", True),
        ("https://pypi.org/simple/", True),
        ("https://index.example.com/simple/", True),
        ("https://me:pw@INDEX.example.com:443/simple", True),
        ("https://index.example.com/other", False),
        ("https://pypi.org.evil.example/simple", False),
        ("https://test.pypi.org/simple", False),
        ("http://pypi.org/simple", False),
    ],
)
def test_the_public_index_and_the_configured_one_are_one(index: str, *, same: bool) -> None:
    assert Policy(indexes=("https://index.example.com/simple",)).is_index(index) is same


def test_a_credential_is_for_the_server_of_the_index_alone() -> None:
    credential = Credential(index="https://index.example.com/simple", username="a", password="b")
    assert credential.header_for("https://index.example.com/files/x.whl") == "Basic YTpi"
    for url in ("https://files.example.com/x.whl", "http://index.example.com/x.whl", "https://x@y"):
        assert credential.header_for(url) is None


def test_a_credential_in_the_address_of_the_index_is_taken_out_of_it() -> None:
    address = "https://me:p%40ss@index.example.com/simple"
    index = PackageIndex.read({"PACKAGE_INDEX_URL": address})
    assert index.url == "https://index.example.com/simple"
    assert index.credential is not None
    assert (index.credential.username, index.credential.password) == ("me", "p@ss")
    assert "p%40ss" not in " ".join(index.arguments)
    variables = index.with_credential({"UV_EXTRA_INDEX_URL": "https://elsewhere", "PATH": "/bin"})
    assert "UV_EXTRA_INDEX_URL" not in variables
    assert variables["UV_INDEX_PLATFORM_PASSWORD"] == "p@ss"


def test_without_an_index_those_of_the_machine_are_the_ones(tmp_path) -> None:
    settings = tmp_path / "uv.toml"
    settings.write_text('index-url = "https://a.example"\n[[index]]\nurl = "https://b.example"\n')
    index = PackageIndex.read(
        {"UV_CONFIG_FILE": str(settings), "UV_INDEX": "x=https://me:pw@c.example https://d.example"}
    )
    assert index.arguments == []
    assert set(index.addresses) == {
        "https://a.example", "https://b.example", "https://c.example", "https://d.example",
    }  # fmt: skip


def test_the_path_of_an_address_has_one_form() -> None:
    assert parse_address("https://X.example:443/a/b/") == parse_address("https://x.example/a/b")
