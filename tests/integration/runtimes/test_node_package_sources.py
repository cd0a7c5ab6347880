"""One index, one policy, whatever file of a Node.js source asks, or package of the index."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.certificate_authority import Authority, make_authority
from tests.integration.runtimes.helpers.node_registry import Server, integrity, packed, serving
from tests.integration.runtimes.helpers.recipe_process import RecipeRun, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., RecipeRun]

PUBLIC = "https://registry.npmjs.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority") / "files", "localhost")


@pytest.fixture
def index() -> Iterator[Server]:
    with serving(path="/npm") as server:
        server.publish({"name": "alpha", "version": "1.0.0"})
        yield server


@pytest.fixture
def elsewhere(authority: Authority) -> Iterator[Server]:
    """A server that has a package, and that nobody may ask for it."""
    with serving(authority) as server:
        server.files["/allowed/x.tgz"] = packed({"name": "x", "version": "2.0.0"})
        yield server


@pytest.fixture
def plain() -> Iterator[Server]:
    """The same without TLS."""
    with serving() as server:
        server.files["/x.tgz"] = packed({"name": "x", "version": "2.0.0"})
        yield server


@pytest.fixture
def install(
    index: Server, authority: Authority, tmp_path: Path, require_server: Callable[[str, str], str]
) -> Install:
    require_server("npm", "apt-get install npm")
    runs = iter(range(10))

    def install_from_index(files: dict[str, object], **settings: str) -> RecipeRun:
        texts = {
            name: content if isinstance(content, str) else json.dumps(content)
            for name, content in files.items()
        }
        settings = {
            "PACKAGE_INDEX_URL": index.url,
            "NODE_EXTRA_CA_CERTS": str(authority.certificate),
            **settings,
        }
        return run_recipe("nodejs", texts, tmp_path / f"run{next(runs)}", **settings)

    return install_from_index


def manifest(dependencies: dict[str, str], **fields: object) -> dict[str, object]:
    return {"name": "f", "version": "1.0.0", "dependencies": dependencies, **fields}


def lock(dependencies: dict[str, str], **packages: dict[str, Any]) -> dict[str, object]:
    folders = {f"node_modules/{name}": package for name, package in packages.items()}
    return {
        "name": "f", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
        "packages": {"": manifest(dependencies), **folders},
    }  # fmt: skip


def old_lock(**packages: dict[str, Any]) -> dict[str, object]:
    return {"name": "f", "lockfileVersion": 1, "requires": True, "dependencies": packages}


def assert_refused(run: RecipeRun, file: str, name: str, place: str) -> None:
    assert (run.status, run.reason, run.files()) == (1, "PackageSourceRefused", {}), run.log
    assert run.message.startswith(f"{file}: {name} comes from {place}")


@pytest.mark.parametrize(
    "place",
    [
        "{elsewhere}/allowed/x.tgz",
        "{plain}/x.tgz",
        "https://someone:secret@{host}/allowed/x.tgz",
        "git+{elsewhere}/x.git",
        "git+ssh://git@{host}/x.git#0123456789012345678901234567890123456789",
        "git://{host}/x.git",
        "git@{host}:x.git",
        "someone/repository",
        "github:someone/repository#main",
        "gist:11081aaa281",
        "https://github.com/someone/repository",
        "npm:x@{elsewhere}/allowed/x.tgz",
        "jsr:@someone/x",
    ],
)
@pytest.mark.parametrize("field", ["dependencies", "optionalDependencies", "peerDependencies"])
def test_an_address_in_a_package_json_is_refused_before_it_is_fetched(
    install: Install, elsewhere: Server, plain: Server, place: str, field: str
) -> None:
    host = elsewhere.url.removeprefix("https://")
    wanted = place.format(elsewhere=elsewhere.url, plain=plain.url, host=host)
    asked = {"name": "f", "dependencies": {"alpha": "*"}}
    asked[field] = {"alpha": "*", "x": wanted} if field == "dependencies" else {"x": wanted}
    run = install({"package.json": asked})
    assert_refused(run, "package.json", "x", re.sub(r"(?<=//)[^/]*@", "", wanted))
    assert "secret" not in run.log + run.message
    assert (elsewhere.requests, plain.requests) == ([], [])


@pytest.mark.parametrize("place", ["{plain}/x.tgz", "jsr:@someone/x"])
def test_nobody_is_sent_to_the_operator_for_what_no_prefix_can_allow(
    install: Install, plain: Server, place: str
) -> None:
    run = install({"package.json": manifest({"x": place.format(plain=plain.url)})})
    assert run.message.endswith("no address that could be allowed; take the package from the index")


@pytest.mark.parametrize(
    "overrides", [{"alpha": "X"}, {"beta": {"alpha": "X"}}, {"alpha": {".": "X"}}]
)
def test_an_address_in_overrides_is_refused(
    install: Install, elsewhere: Server, overrides: dict[str, object]
) -> None:
    told = json.loads(json.dumps(overrides).replace("X", f"{elsewhere.url}/allowed/x.tgz"))
    run = install({"package.json": manifest({"alpha": "*"}, overrides=told)})
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "wanted", ["file:x.tgz", "link:../x", "workspace:*", "portal:x", "./x.tgz"]
)
def test_a_local_package_is_refused(install: Install, wanted: str) -> None:
    run = install({"package.json": manifest({"x": wanted}), "x.tgz": ""})
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert run.message == "package.json: x is a local package; packages come from the index"


@pytest.mark.parametrize("name", ["package-lock.json", "npm-shrinkwrap.json"])
@pytest.mark.parametrize("kind", ["file", "git", "older-file", "older-version", "older-git"])
def test_an_address_in_a_lock_is_refused_before_it_is_fetched(
    install: Install, elsewhere: Server, name: str, kind: str
) -> None:
    asked, address = {"x": "^2.0.0"}, f"{elsewhere.url}/allowed/x.tgz"
    git = f"git+{elsewhere.url}/x.git#{'0' * 40}"
    locks = {
        "file": lock(asked, x={"version": "2.0.0", "resolved": address}),
        "git": lock(asked, x={"version": "2.0.0", "resolved": git}),
        "older-file": old_lock(x={"version": "2.0.0", "resolved": address}),
        "older-version": old_lock(x={"version": address}),
        "older-git": old_lock(x={"version": git, "from": git}),
    }
    run = install({"package.json": manifest(asked), name: locks[kind]})
    at = "x" if kind.startswith("older") else "node_modules/x"
    assert_refused(run, name, at, git if "git" in kind else address)
    assert elsewhere.requests == []


def test_a_section_of_a_lock_that_npm_does_not_read_makes_no_difference(
    install: Install, elsewhere: Server
) -> None:
    both = lock({"alpha": "*"}, alpha={"version": "1.0.0"})
    both["dependencies"] = {"alpha": {"version": f"{elsewhere.url}/allowed/x.tgz"}}
    run = install({"package.json": manifest({"alpha": "*"}), "package-lock.json": both})
    assert (run.status, elsewhere.requests) == (0, []), run.log


@pytest.mark.parametrize("field", ["dependencies", "optionalDependencies", "peerDependencies"])
@pytest.mark.parametrize("kind", ["file", "http", "git", "shorthand"])
def test_an_address_that_a_package_of_the_index_asks_for_is_refused_before_it_is_fetched(  # noqa: PLR0917 - fixtures
    install: Install, index: Server, elsewhere: Server, plain: Server, field: str, kind: str
) -> None:
    wanted = {
        "file": f"{elsewhere.url}/allowed/x.tgz",
        "http": f"{plain.url}/x.tgz",
        "git": f"git+{elsewhere.url}/x.git",
        "shorthand": "someone/x",
    }[kind]
    index.publish({"name": "beta", "version": "3.0.0", field: {"x": wanted}})
    run = install({"package.json": manifest({"beta": "*"})})
    assert_refused(run, "beta 3.0.0", "x", wanted)
    assert (elsewhere.requests, plain.requests) == ([], [])


def test_a_version_that_nobody_wants_may_ask_for_what_it_likes(
    install: Install, index: Server, elsewhere: Server
) -> None:
    wanted = {"x": f"{elsewhere.url}/allowed/x.tgz"}
    index.publish({"name": "beta", "version": "1.0.0", "dependencies": wanted})
    index.publish({"name": "beta", "version": "1.0.1"})
    run = install({"package.json": manifest({"beta": "^1.0.0"})})
    assert (run.status, elsewhere.requests) == (0, []), run.log


def test_a_shrinkwrap_inside_a_package_leads_nowhere_else(
    install: Install, index: Server, elsewhere: Server
) -> None:
    address = f"{elsewhere.url}/allowed/x.tgz"
    inner = lock({"x": "2.0.0"}, x={"version": "2.0.0", "resolved": address})
    beta = {"name": "beta", "version": "1.0.0", "dependencies": {"x": "2.0.0"}}
    index.publish({**beta, "_hasShrinkwrap": True}, **{"npm-shrinkwrap.json": json.dumps(inner)})
    index.publish({"name": "x", "version": "2.0.0"})
    install({"package.json": manifest({"beta": "*"})})
    assert elsewhere.requests == []


def test_a_package_that_the_index_has_elsewhere_is_refused(
    install: Install, index: Server, elsewhere: Server
) -> None:
    address = f"{elsewhere.url}/allowed/x.tgz"
    index.publish({"name": "x", "version": "2.0.0"}, tarball=address)
    run = install({"package.json": manifest({"x": "*"})})
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert (address in run.message, elsewhere.requests) == (True, [])


@pytest.mark.parametrize(
    "address",
    [
        f"{PUBLIC}/alpha/-/alpha-1.0.0.tgz",
        "http://registry.npmjs.org/alpha/-/alpha-1.0.0.tgz",
        "https://registry.yarnpkg.com/alpha/-/alpha-1.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "{index}/alpha/-/alpha-1.0.0.tgz",
    ],
)
@pytest.mark.parametrize("version", [1, 3])
def test_a_public_address_of_a_lock_is_mapped_to_the_index(
    install: Install, index: Server, address: str, version: int
) -> None:
    package = {
        "version": "1.0.0",
        "resolved": address.format(index=index.url),
        "integrity": integrity(index.files["/alpha/-/alpha-1.0.0.tgz"]),
    }
    made = lock({"alpha": "*"}, alpha=package) if version == 3 else old_lock(alpha=package)
    run = install({"package.json": manifest({"alpha": "*"}), "package-lock.json": made})
    assert (run.status, sorted(run.files())) == (0, ["alpha/index.js", "alpha/package.json"]), (
        run.log
    )
    assert "registry." not in run.lock
    assert "/npm/alpha/-/alpha-1.0.0.tgz" in index.paths


def test_a_package_of_a_scope_is_mapped_as_well(install: Install, index: Server) -> None:
    content = index.publish({"name": "@corp/beta", "version": "1.0.0"})
    package = {
        "version": "1.0.0",
        "resolved": f"{PUBLIC}/@corp/beta/-/beta-1.0.0.tgz",
        "integrity": integrity(content),
    }
    asked = {"@corp/beta": "^1.0.0"}
    made = lock(asked, **{"@corp/beta": package})
    for files in ({}, {"package-lock.json": made}):
        run = install({"package.json": manifest(asked), **files})
        assert run.status == 0, run.log
        assert "@corp/beta/package.json" in run.files()


def test_a_public_address_with_another_s_content_is_refused_by_its_hash(
    install: Install, index: Server
) -> None:
    package = {
        "version": "1.0.0",
        "resolved": f"{PUBLIC}/alpha/-/alpha-1.0.0.tgz",
        "integrity": integrity(b"what the author had"),
    }
    made = lock({"alpha": "*"}, alpha=package)
    run = install({"package.json": manifest({"alpha": "*"}), "package-lock.json": made})
    assert (run.status, run.reason) == (1, "RequirementHashMismatch")


def test_an_index_whose_files_have_other_addresses_serves_them(
    install: Install, index: Server
) -> None:
    content = index.files.pop("/alpha/-/alpha-1.0.0.tgz")
    index.files["/files/a.tgz"] = content
    document = json.loads(index.files["/alpha"])
    document["versions"]["1.0.0"]["dist"]["tarball"] = f"{index.url}/files/a.tgz"
    index.files["/alpha"] = json.dumps(document).encode()
    package = {"version": "1.0.0", "resolved": f"{PUBLIC}/alpha/-/alpha-1.0.0.tgz"}
    asked = manifest({"alpha": "*"})
    for files in ({}, {"package-lock.json": lock({"alpha": "*"}, alpha=package)}):
        run = install({"package.json": asked, **files})
        assert run.status == 0, run.log


@pytest.mark.parametrize("kind", ["manifest", "lock", "transitive"])
def test_an_allowed_address_is_installed_and_named_in_the_lock(
    install: Install, index: Server, elsewhere: Server, kind: str
) -> None:
    address = f"{elsewhere.url}/allowed/x.tgz"
    asked = {"x": address}
    files = {"package.json": manifest(asked)}
    hashed = {"integrity": integrity(elsewhere.files["/allowed/x.tgz"])}
    if kind == "transitive":
        index.publish({"name": "beta", "version": "1.0.0", "dependencies": asked})
        files = {"package.json": manifest({"beta": "*"})}
    elif kind == "lock":
        files["package-lock.json"] = lock(
            asked, x={"version": "2.0.0", "resolved": address, **hashed}
        )
    run = install(files, PACKAGE_URL_PREFIXES=json.dumps([f"{elsewhere.url}/allowed/"]))
    assert (run.status, elsewhere.paths[0]) == (0, "/allowed/x.tgz"), run.log
    assert "x/package.json" in run.files()
    assert address in run.lock
    assert ".invalid" not in run.lock + run.log


@pytest.mark.parametrize(
    "path",
    ["/allowed2/x.tgz", "/allowed/../other/x.tgz", "/allowed/%2e%2e/other/x.tgz", "/x.tgz",
     "/allowed/..%2fother/x.tgz", "/allowed\\..\\other/x.tgz", "/ALLOWED/x.tgz"],
)  # fmt: skip
def test_an_address_beside_an_allowed_prefix_is_refused(
    install: Install, elsewhere: Server, path: str
) -> None:
    run = install(
        {"package.json": manifest({"x": f"{elsewhere.url}{path}"})},
        PACKAGE_URL_PREFIXES=json.dumps([f"{elsewhere.url}/allowed"]),
    )
    assert (run.status, run.reason, elsewhere.requests) == (1, "PackageSourceRefused", [])


def test_an_allowed_address_does_not_lead_on_to_another(
    install: Install, elsewhere: Server, plain: Server
) -> None:
    elsewhere.redirects["/allowed/y.tgz"] = f"{plain.url}/x.tgz"
    run = install(
        {"package.json": manifest({"x": f"{elsewhere.url}/allowed/y.tgz"})},
        PACKAGE_URL_PREFIXES=json.dumps([f"{elsewhere.url}/allowed"]),
    )
    assert (run.status, run.reason, plain.requests) == (1, "PackageSourceUnavailable", [])


def test_what_an_allowed_package_asks_for_is_under_the_same_policy(
    install: Install, elsewhere: Server, plain: Server
) -> None:
    needs = {"y": f"{plain.url}/x.tgz", "z": f"{elsewhere.url}/other/z.tgz"}
    content = packed({"name": "x", "version": "1.0.0", "dependencies": needs})
    elsewhere.files["/allowed/x.tgz"] = content
    run = install(
        {"package.json": manifest({"x": f"{elsewhere.url}/allowed/x.tgz"})},
        PACKAGE_URL_PREFIXES=json.dumps([f"{elsewhere.url}/allowed"]),
    )
    assert (run.status, run.reason) == (1, "PackageSourceRefused"), run.log
    assert (set(elsewhere.paths), plain.requests) == ({"/allowed/x.tgz"}, [])


@pytest.mark.parametrize("status", [404, 403, 500])
def test_an_allowed_address_that_fails_is_the_author_s(
    install: Install, elsewhere: Server, status: int
) -> None:
    elsewhere.status = status
    run = install(
        {"package.json": manifest({"x": f"{elsewhere.url}/allowed/gone.tgz?token=secret"})},
        PACKAGE_URL_PREFIXES=json.dumps([f"{elsewhere.url}/allowed"]),
    )
    assert (run.status, run.reason) == (1, "PackageSourceUnavailable"), run.log
    assert f"{elsewhere.url}/allowed/gone.tgz" in run.message
    assert "secret" not in run.message + run.log


def test_an_allowed_host_that_does_not_exist_is_the_author_s(install: Install) -> None:
    run = install(
        {"package.json": manifest({"x": "https://packages.invalid/x.tgz"})},
        PACKAGE_URL_PREFIXES='["https://packages.invalid/"]',
    )
    assert (run.status, run.reason) == (1, "PackageSourceUnavailable"), run.log


@pytest.mark.parametrize("file", [".npmrc", "package.json"])
def test_settings_of_the_source_do_not_say_where_packages_come_from(
    install: Install, index: Server, plain: Server, file: str
) -> None:
    settings = {"registry": plain.url, "proxy": plain.url, "ignore-scripts": False}
    asked = manifest({"alpha": "*"}, publishConfig=settings, config=settings)
    npmrc = "".join(f"{name}={value}\n" for name, value in settings.items())
    files = {"package.json": asked if file == "package.json" else manifest({"alpha": "*"})}
    run = install({**files, ".npmrc": npmrc if file == ".npmrc" else ""})
    assert (run.status, plain.requests) == (0, []), run.log


def test_a_redirection_of_the_index_is_followed_without_its_credential(
    install: Install, index: Server, plain: Server
) -> None:
    path = "/alpha/-/alpha-1.0.0.tgz"
    plain.files["/stored"] = index.files[path]
    index.redirects[path] = f"{plain.url}/stored"
    run = install(
        {"package.json": manifest({"alpha": "*"})},
        PACKAGE_INDEX_USERNAME="reader",
        PACKAGE_INDEX_PASSWORD="password-1",
    )
    assert run.status == 0, run.log
    assert plain.requests == [("/stored", None)]


@pytest.mark.parametrize(
    "folder", ["node_modules/../../escaped", "../escaped", "node_modules/a/../b", "/escaped", "x"]
)
def test_a_lock_installs_nowhere_else(install: Install, tmp_path: Path, folder: str) -> None:
    made = lock({"alpha": "*"}, alpha={"version": "1.0.0"})
    made["packages"][folder] = {"name": "alpha", "version": "1.0.0"}  # type: ignore[index]
    run = install({"package.json": manifest({"alpha": "*"}), "package-lock.json": made})
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert not list(tmp_path.rglob("escaped"))


NO_HASHES = [
    "sha512-?x", "sha512-", "x sha512-", "sha256-?", "sha512-\t?", "sha512-AAAA",
    "sha1-k5ssooLHxCmLKHQ78bLtDlmtpZI=",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_HASHES)
def test_what_only_looks_like_a_hash_is_none(install: Install, index: Server, text: str) -> None:
    files = {
        "package.json": manifest({"alpha": "1.0.0"}),
        "package-lock.json": lock(
            {"alpha": "1.0.0"}, alpha={"version": "1.0.0", "integrity": text}
        ),
    }
    run = install(files, REQUIRE_HASHES="true")
    assert (run.status, run.reason, index.requests) == (1, "HashesRequired", [])


def needing_beta(index: Server, **fields: object) -> dict[str, Any]:
    """The entry of alpha, which needs beta, in a lock; both are in the index now."""
    index.publish({"name": "beta", "version": "1.0.0"})
    inside = {} if "bundleDependencies" not in fields else {
        "node_modules/beta/package.json": '{"name": "beta", "version": "1.0.0"}'
    }  # fmt: skip
    needs = {"name": "alpha", "version": "1.0.0", "dependencies": {"beta": "1.0.0"}, **fields}
    content = index.publish(needs, **inside)
    return {
        "version": "1.0.0", "integrity": integrity(content), "dependencies": {"beta": "1.0.0"},
        **fields,
    }  # fmt: skip


# Where beta is in a lock of alpha, without a hash -> what it is said to be.
SAID_TO_BE = {
    "for development": ("node_modules/beta", {"dev": True}),
    "for development or optional": ("node_modules/beta", {"dev": True, "devOptional": True}),
    "inside alpha": ("node_modules/alpha/node_modules/beta", {"inBundle": True}),
}


@pytest.mark.parametrize("said", SAID_TO_BE.values(), ids=SAID_TO_BE)
@pytest.mark.parametrize("address", ["{index}/beta/-/beta-1.0.0.tgz", ""])
def test_a_lock_that_lies_of_a_package_does_not_get_it_without_hash(
    install: Install, index: Server, said: tuple[str, dict[str, object]], address: str
) -> None:
    folder, lie = said
    locked = lock({"alpha": "1.0.0"}, alpha=needing_beta(index))
    resolved = {"resolved": address.format(index=index.url)} if address else {}
    packages: Any = locked["packages"]
    packages[folder] = {"version": "1.0.0", **resolved, **lie}
    files = {"package.json": manifest({"alpha": "1.0.0"}), "package-lock.json": locked}
    run = install(files, REQUIRE_HASHES="true")
    assert (run.status, run.reason, run.files()) == (1, "HashesRequired", {})
    assert "beta" in run.message
    assert "/npm/beta/-/beta-1.0.0.tgz" not in index.paths


@pytest.mark.parametrize("lie", ["dev", "bundled"])
def test_an_old_lock_that_lies_of_a_package_does_not_get_it_without_hash(
    install: Install, index: Server, lie: str
) -> None:
    alpha = needing_beta(index)
    del alpha["dependencies"]
    alpha["requires"] = {"beta": "1.0.0"}
    beta = {"version": "1.0.0", lie: True}
    locked = (
        old_lock(alpha={**alpha, "dependencies": {"beta": beta}})
        if lie == "bundled"
        else old_lock(alpha=alpha, beta=beta)
    )
    files = {"package.json": manifest({"alpha": "1.0.0"}), "package-lock.json": locked}
    run = install(files, REQUIRE_HASHES="true")
    assert (run.status, run.reason, run.files()) == (1, "HashesRequired", {})
    assert "/npm/beta/-/beta-1.0.0.tgz" not in index.paths


def test_a_shrinkwrap_inside_a_package_gets_nothing_without_hash(
    install: Install, index: Server
) -> None:
    index.publish({"name": "beta", "version": "1.0.0"})
    own = lock({"beta": "1.0.0"}, beta={"version": "1.0.0"})
    content = index.publish(
        {"name": "alpha", "version": "1.0.0", "_hasShrinkwrap": True},
        **{"npm-shrinkwrap.json": json.dumps(own)},
    )
    alpha = {"version": "1.0.0", "integrity": integrity(content), "hasShrinkwrap": True}
    files = {
        "package.json": manifest({"alpha": "1.0.0"}),
        "package-lock.json": lock({"alpha": "1.0.0"}, alpha=alpha),
    }
    install(files, REQUIRE_HASHES="true")
    assert "/npm/beta/-/beta-1.0.0.tgz" not in index.paths


def test_what_really_comes_with_a_package_or_is_for_development_needs_no_hash(
    install: Install, index: Server
) -> None:
    git = "git+https://git.invalid/x.git#0123456789012345678901234567890123456789"
    locked = lock({"alpha": "1.0.0"}, alpha=needing_beta(index, bundleDependencies=["beta"]))
    packages: Any = locked["packages"]
    packages[""]["devDependencies"] = {"x": git}
    packages["node_modules/alpha/node_modules/beta"] = {"version": "1.0.0", "inBundle": True}
    packages["node_modules/x"] = {"version": "1.0.0", "resolved": git, "dev": True}
    files = {
        "package.json": manifest({"alpha": "1.0.0"}, devDependencies={"x": git}),
        "package-lock.json": locked,
    }
    run = install(files, REQUIRE_HASHES="true")
    assert run.status == 0, run.log
    assert "alpha/node_modules/beta/package.json" in run.files()
    assert "/npm/beta/-/beta-1.0.0.tgz" not in index.paths
