"""What npm could fetch is told apart from versions, and compared in one form only."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNTIME = Path(__file__).parents[3] / "runtimes" / "nodejs"
MODULES = (
    "installer_errors",
    "addresses",
    "asked_versions",
    "package_index",
    "source_policy",
    "translation",
)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def node() -> Iterator[SimpleNamespace]:
    """The modules of Node.js; those of Python have some of the same names."""
    others = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    sys.path.insert(0, str(RUNTIME))
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(RUNTIME))
        for name in MODULES:
            sys.modules.pop(name, None)
        sys.modules.update(others)


@pytest.mark.parametrize(
    "text",
    ["*", "", "latest", "^1.2.3", ">=1 <2 || 3.x", "1.0.0-rc.1+build", "~1", "npm:other@^1",
     "npm:@scope/other@1", "npm:other"],
)  # fmt: skip
def test_a_version_or_a_tag_comes_from_the_index(node, text):
    assert node.asked_versions.read_asked_version(text).kind == "version"


@pytest.mark.parametrize(
    "text", ["file:x", "FILE:x", " file:x", "link:../x", "./x", "../x", "/x", "~/x", "x:\\y",
             "workspace:*", "portal:x", ".", ".."],
)  # fmt: skip
def test_a_path_is_local(node, text):
    assert node.asked_versions.read_asked_version(text).kind == "local"


@pytest.mark.parametrize(
    "text",
    [
        "github:o/r", "o/r", "git+https://github.com/o/r.git", "git+ssh://git@github.com/o/r.git",
        "git@github.com:o/r.git", "ssh://git@github.com/o/r", "git+ssh://git@github.com:o/r.git",
        "https://github.com/o/r", "https://github.com/o/r.git", "GIT+HTTPS://github.com/o/r",
    ],
)  # fmt: skip
def test_all_ways_to_name_a_repository_are_one(node, text):
    asked = node.asked_versions.read_asked_version(f"{text}#{COMMIT}")
    assert (asked.kind, str(asked.address)) == ("git", "https://github.com/o/r")
    assert asked.commit == COMMIT


@pytest.mark.parametrize("revision", ["", "#main", "#semver:^1", "#0123456", f"#{COMMIT}x"])
def test_a_branch_or_a_part_of_a_commit_is_no_commit(node, revision):
    policy = node.source_policy.SourcePolicy.read(
        {"ALLOW_GIT_PACKAGES": "true", "PACKAGE_URL_PREFIXES": '["https://github.com/o"]'}
    )
    with pytest.raises(node.installer_errors.RecipeError, match="names no full commit"):
        policy.check("package.json", "x", f"github:o/r{revision}")
    policy.check("package.json", "x", f"github:o/r#{COMMIT}")


@pytest.mark.parametrize(
    "text",
    [
        "http://a.example/x", "https://u@a.example/x", "https://u:p@a.example/x", "https:///x",
        "https://a.example/x/../y", "https://a.example/./y", "https://a.example/%2e%2e/y",
        "https://a.example/a%2fb", "https://a.example/a\\b", "https://a.example:port/x",
        "https://a.example//x", "https://a.example/x\ny", "https://ä.example/x", "ftp://a.example/x",
        "https://a.example/%00",
    ],
)  # fmt: skip
def test_an_address_that_could_mean_another_is_none(node, text):
    assert node.addresses.Address.parse(text) is None


@pytest.mark.parametrize(
    ("address", "prefix", "allowed"),
    [
        ("https://a.example/p/x.tgz", "https://a.example/p", True),
        ("https://A.EXAMPLE:443/p/x.tgz", "https://a.example/p/", True),
        ("https://a.example/%70/x.tgz", "https://a.example/p/", True),
        ("https://a.example/p", "https://a.example", True),
        ("https://a.example/pp/x.tgz", "https://a.example/p", False),
        ("https://a.example:8443/p/x.tgz", "https://a.example/p", False),
        ("https://a.example.org/p/x.tgz", "https://a.example", False),
        ("https://b.example/p/x.tgz", "https://a.example/p", False),
    ],
)  # fmt: skip
def test_prefixes_are_compared_by_host_port_and_whole_segments(node, address, prefix, allowed):
    parse = node.addresses.Address.parse
    assert parse(address).is_below(parse(prefix)) is allowed


def test_a_prefix_that_is_no_https_address_allows_nothing(node):
    policy = node.source_policy.SourcePolicy.read({"PACKAGE_URL_PREFIXES": '["http://a.example"]'})
    assert policy.prefixes == ()


@pytest.mark.parametrize("setting", ["{}", "x", "[1]"])
def test_a_list_of_prefixes_that_is_none_is_the_platform_s(node, setting):
    with pytest.raises(node.installer_errors.RecipeError) as caught:
        node.source_policy.SourcePolicy.read({"PACKAGE_URL_PREFIXES": setting})
    assert (caught.value.reason, caught.value.exit_code) == ("InvalidSettings", 75)


def test_a_query_is_fetched_and_not_shown(node):
    address = node.addresses.Address.parse("https://a.example/x.tgz?token=secret#part")
    assert address.url == "https://a.example/x.tgz?token=secret"
    assert str(address) == "https://a.example/x.tgz"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://registry.npmjs.org/@s/x/-/x-1.0.0.tgz", "@s/x/-/x-1.0.0.tgz"),
        ("https://registry.npmjs.org/@s%2fx/-/x-1.0.0.tgz", "@s/x/-/x-1.0.0.tgz"),
        ("https://registry.yarnpkg.com/x/-/x-1.0.0.tgz#abc", "x/-/x-1.0.0.tgz"),
        ("https://npm.example/feed/x/-/x-1.0.0.tgz", "x/-/x-1.0.0.tgz"),
        ("https://npm.example/other/x/-/x-1.0.0.tgz", None),
        ("https://registry.npmjs.org.example/x/-/x-1.0.0.tgz", None),
        ("https://registry.npmjs.org@b.example/x/-/x-1.0.0.tgz", None),
        ("https://registry.npmjs.org/x/-/../y/-/x.tgz", None),
        ("https://registry.npmjs.org/-/user", None),
        ("https://[", None),
        ("git+ssh://[::1", None),
    ],
)
def test_public_and_own_addresses_of_packages_are_known(node, url, path):
    index = node.package_index.PackageIndex.at("https://u:p@npm.example/feed")
    assert node.package_index.PackageIndexes(default=index).tarball_path(url) == path


@pytest.mark.parametrize(
    ("url", "is_its"),
    [
        ("https://npm.example/feed/x", True),
        ("https://npm.example/feed/../x", False),
        ("https://npm.example/feed/%2e%2e/x", False),
        ("https://npm.example/feedx", False),
        ("https://npm.example.org/feed/x", False),
        ("https://[/feed/x", False),
    ],
)
def test_a_credential_goes_to_the_index_s_own_path_only(node, url, is_its):
    index = node.package_index.PackageIndex.at("https://u:p@npm.example/feed")
    assert (index.url, index.has(url)) == ("https://npm.example/feed/", is_its)
    assert "Basic" not in repr(index)


@pytest.mark.parametrize("text", ["https://[", "git://[x", "//[", "http://\ud800", "file:["])
def test_what_is_no_address_is_told_to_npm_as_one_that_is_refused(node, text):
    indexes = node.package_index.PackageIndexes(
        default=node.package_index.PackageIndex.at("https://npm.example/feed")
    )
    policy = node.source_policy.SourcePolicy.read({})
    translation = node.translation.Translation(indexes, policy)
    assert translation.is_outside(translation.wanted(text))
    assert translation.tarball(text).startswith(translation.base)
    assert policy.problem(node.asked_versions.read_asked_version(text))
