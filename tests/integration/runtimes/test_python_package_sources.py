"""Whatever file asks, packages come from the one index, or from where the operator allows."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.helpers.package_indexes import (
    PYTHON_FILES,
    FileServer,
    file_server,
    python_index,
    tarball,
    wheel,
)
from tests.integration.runtimes.helpers.python_projects import (
    BETA,
    BETA_SHA256,
    COMMIT,
    PUBLIC,
    PUBLIC_FILES,
    project,
    pylock,
    requirements,
    sha256,
    uv_lock,
    wheels,
)
from tests.integration.runtimes.helpers.recipe_process import RecipeRun, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., RecipeRun]

RUNS = "import pathlib, sys\npathlib.Path({marker!r}).touch()\n"
OUTER = "outer-1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    outer = wheel("asks", "1.0", requires=f"beta @ {PUBLIC_FILES}/{BETA}", files={"asks.py": ""})
    with python_index(more={"asks-1.0-py3-none-any.whl": outer}) as url:
        yield url


@pytest.fixture
def elsewhere() -> Iterator[FileServer]:
    """A server with a wheel of beta, and one that asks for it by its address."""
    files: dict[str, bytes | str] = {f"/a/{BETA}": PYTHON_FILES[BETA]}
    with file_server(files) as server:
        needs = f"beta @ {server.url}/a/{BETA}"
        files[f"/a/{OUTER}"] = wheel("outer", "1.0", requires=needs, files={"outer.py": ""})
        files[f"/a/to/{BETA}"] = f"{server.url}/b/{BETA}"
        files[f"/a/near/{BETA}"] = f"{server.url}/a/{BETA}"
        files[f"/b/{BETA}"] = PYTHON_FILES[BETA]
        yield server


@pytest.fixture
def install(index: str, tmp_path: Path) -> Install:
    runs = iter(range(10))

    def install_from_index(files: dict[str, str], **settings: str) -> RecipeRun:
        settings = {"PACKAGE_INDEX_URL": index, **settings}
        return run_recipe("python", files, tmp_path / f"run{next(runs)}", **settings)

    return install_from_index


def allowing(*prefixes: str) -> dict[str, str]:
    return {"PACKAGE_URL_PREFIXES": json.dumps(prefixes)}


HASHES = f'hashes = {{ sha256 = "{BETA_SHA256}" }}'
# File -> what asks in it for the wheel of beta at an address.
BY_ADDRESS = {
    "requirements": lambda url: requirements(f"beta @ {url}"),
    "bare-address": requirements,
    "included": lambda url: {**requirements("-r more/a.in"), "more/a.in": f"beta @ {url}\n"},
    "constraint": lambda url: {**requirements("beta\n-c c.txt"), "c.txt": f"beta @ {url}"},
    "project": lambda url: project(f"beta @ {url}"),
    "project-sources": lambda url: project(
        "beta", more=f'[tool.uv.sources]\nbeta = {{ url = "{url}" }}\n'
    ),
    "pylock-wheels": lambda url: pylock(
        f'version = "1.5"\nwheels = [{{ url = "{url}", {HASHES} }}]'
    ),
    "pylock-archive": lambda url: pylock(f'archive = {{ url = "{url}", {HASHES} }}'),
    "uv-lock-url": lambda url: uv_lock(f'{{ url = "{url}" }}', fields=wheels(url)),
    "uv-lock-registry": lambda url: uv_lock(
        f'{{ registry = "{url.rpartition("/")[0]}" }}', fields=wheels(url)
    ),
}  # fmt: skip
BY_COMMIT = {
    "requirements": lambda url: requirements(f"beta @ git+{url}@{COMMIT}"),
    "bare-address": lambda url: requirements(f"git+{url}@{COMMIT}#egg=beta"),
    "project": lambda url: project(f"beta @ git+{url}@{COMMIT}"),
    "project-sources": lambda url: project(
        "beta", more=f'[tool.uv.sources]\nbeta = {{ git = "{url}", rev = "{COMMIT}" }}\n'
    ),
    "pylock": lambda url: pylock(
        f'vcs = {{ type = "git", url = "{url}", commit-id = "{COMMIT}" }}'
    ),
    "uv-lock": lambda url: uv_lock(f'{{ git = "{url}?rev={COMMIT}#{COMMIT}" }}'),
}


@pytest.mark.parametrize("files", BY_ADDRESS.values(), ids=BY_ADDRESS)
def test_a_package_at_another_address_is_refused_before_it_is_fetched(
    install: Install, elsewhere: FileServer, files: Callable[[str], dict[str, str]]
) -> None:
    run = install(files(f"{elsewhere.url}/a/{BETA}"))
    assert (run.status, run.reason, run.lock) == (1, "PackageSourceRefused", None)
    assert "beta" in run.message
    assert run.message.split()[0].rstrip(":") in {
        "requirements.txt", "more/a.in", "c.txt", "pyproject.toml", "pylock.toml", "uv.lock",
    }  # fmt: skip
    assert elsewhere.requested == []


@pytest.mark.parametrize("files", BY_ADDRESS.values(), ids=BY_ADDRESS)
def test_a_package_at_an_allowed_address_is_installed_and_locked_with_it(
    install: Install, elsewhere: FileServer, files: Callable[[str], dict[str, str]]
) -> None:
    url = f"{elsewhere.url}/a/{BETA}"
    run = install(files(url), **allowing(f"{elsewhere.url}/a/"))
    assert (run.status, run.lock) == (0, f"beta @ {url}#sha256={BETA_SHA256}\n")
    assert "beta/deep.py" in run.files()
    origin = json.loads((run.packages / "beta-1.5.dist-info" / "direct_url.json").read_text())
    assert origin["url"] == url


@pytest.mark.parametrize("files", BY_COMMIT.values(), ids=BY_COMMIT)
def test_a_package_from_git_is_refused_before_it_is_fetched(
    install: Install, elsewhere: FileServer, files: Callable[[str], dict[str, str]]
) -> None:
    url = f"{elsewhere.url}/beta.git"
    run = install(files(url), **allowing(elsewhere.url))
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert "git" in run.message
    run = install(files(url), ALLOW_GIT_PACKAGES="true", ALLOW_SOURCE_PACKAGES="true")
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert elsewhere.requested == []


@pytest.mark.parametrize(
    "path",
    [
        "/a/../b/", "/a/%2e%2e/b/", "/a%2f..%2fb/", "/ab/", "/a//b/", "/a/./", "/a\\..\\b/", "/b/",
    ],
)  # fmt: skip
def test_an_address_that_only_looks_allowed_is_refused(
    install: Install, elsewhere: FileServer, path: str
) -> None:
    url = f"{elsewhere.url}{path}{BETA}"
    run = install(requirements(f"beta @ {url}"), **allowing(f"{elsewhere.url}/a"))
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert elsewhere.requested == []


@pytest.mark.parametrize(
    "host", ["me:hunter2@{}", "{}@evil.example", "evil.example/{}", "{}.evil.example"]
)
def test_an_address_with_another_host_than_the_allowed_one_is_refused(
    install: Install, elsewhere: FileServer, host: str
) -> None:
    server = elsewhere.url.removeprefix("http://")
    run = install(
        requirements(f"beta @ http://{host.format(server)}/a/{BETA}"), **allowing(elsewhere.url)
    )
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert "hunter2" not in run.message + run.log
    assert elsewhere.requested == []


def test_an_address_that_leads_away_from_the_allowed_ones_is_refused(
    install: Install, elsewhere: FileServer
) -> None:
    settings = allowing(f"{elsewhere.url}/a")
    run = install(requirements(f"beta @ {elsewhere.url}/a/to/{BETA}"), **settings)
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert elsewhere.requested == [f"/a/to/{BETA}"]
    assert install(requirements(f"beta @ {elsewhere.url}/a/near/{BETA}"), **settings).status == 0


def test_an_address_that_an_allowed_wheel_asks_for_is_refused_before_it_is_fetched(
    install: Install, elsewhere: FileServer
) -> None:
    run = install(requirements(f"outer @ {elsewhere.url}/a/{OUTER}"), **allowing(elsewhere.url))
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert elsewhere.requested == [f"/a/{OUTER}"]


HEAD = b"Metadata-Version: 2.1\nName: outer\nVersion: 1.0\n"
# What uv reads in a wheel's metadata, and another reader of them might not, by what hides it.
HIDDEN = {
    "an extra of an extra": b"Requires-Dist: outer[b] ; extra == 'a'\n"
    b"Requires-Dist: %s ; extra == 'b'\n",
    "an extra that another package asks for": b"Requires-Dist: %s ; extra == 'c'\n",
    "another patch version": b"Requires-Dist: %s ; python_full_version < '3.12.50'\n",
    "another system": b"Requires-Dist: %s ; platform_release == ''\n",
    "a text that is not UTF-8": b"Requires-Dist: beta ; python_version != '\xe9'\n"
    b"Requires-Dist: %s\n",
    "a line that is no field": b"this is none\nRequires-Dist: %s\n",
}


def hiding_wheel(*metadata: bytes, before: bytes = b"") -> bytes:
    content = io.BytesIO()
    information = "outer-1.0.dist-info"
    with zipfile.ZipFile(content, "w") as archive:
        if before:
            archive.writestr("another-1.0.dist-info/METADATA", before)
        archive.writestr(f"{information}/METADATA", b"".join((HEAD, *metadata)))
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    return content.getvalue()


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_an_address_that_hides_in_an_allowed_wheel_is_refused_before_it_is_fetched(
    tmp_path: Path, hidden: bytes
) -> None:
    files: dict[str, bytes | str] = {f"/b/{BETA}": PYTHON_FILES[BETA]}
    needs = wheel("needs", "1.0", requires="outer[c]", files={"needs.py": ""})
    with (
        file_server(files) as server,
        python_index(more={"needs-1.0-py3-none-any.whl": needs}) as index,
    ):
        asked = f"beta @ {server.url}/b/{BETA}".encode()
        files[f"/a/{OUTER}"] = hiding_wheel(hidden % asked)
        run = run_recipe(
            "python",
            requirements(f"outer[a] @ {server.url}/a/{OUTER}\nneeds"),
            tmp_path,
            PACKAGE_INDEX_URL=index,
            RUNTIME_VERSION="3.12",
            **allowing(f"{server.url}/a/"),
        )
        assert server.requested == [f"/a/{OUTER}"]
    assert (run.status, run.lock) == (1, None)
    assert run.reason in {"PackageSourceRefused", "InvalidRequirements"}


@pytest.mark.parametrize(
    "content",
    [hiding_wheel(before=HEAD), hiding_wheel() + b"more", b""],
    ids=["two files of metadata", "more behind the end", "nothing"],
)
def test_a_wheel_at_an_address_that_can_be_read_in_two_ways_is_the_authors_mistake(
    install: Install, elsewhere: FileServer, content: bytes
) -> None:
    with file_server({f"/a/{OUTER}": content}) as server:
        run = install(requirements(f"outer @ {server.url}/a/{OUTER}"), **allowing(server.url))
    assert (run.status, run.reason) == (1, "InvalidRequirements")
    assert run.message.startswith("requirements.txt line 1: outer: not a wheel: ")


@pytest.mark.parametrize(
    "text",
    [
        r"""beta ; python_version != 'a" #\nalpha'""",
        r"""beta ; python_version != '\x22\x27'""",
        r"beta ; python_version != 'a\n--extra-index-url\x20http://127.0.0.1:9/'",
    ],
)
def test_a_marker_is_one_line_or_none(install: Install, text: str) -> None:
    # `#` begins a remark in a file of requirements, but not here.
    run = install({"main.py": "", "pyproject.toml": project_of(text)})
    assert (run.status, run.reason) == (1, "InvalidRequirements")
    assert run.message.startswith("pyproject.toml: ")


def project_of(dependency: str) -> str:
    return f'[project]\nname = "app"\nversion = "1"\ndependencies = [{json.dumps(dependency)}]\n'


def test_an_address_that_a_wheel_of_the_index_asks_for_is_refused(install: Install) -> None:
    run = install(requirements("asks"))
    assert (run.status, run.reason) == (1, "PackageSourceRefused")


def test_a_file_that_is_not_at_its_address_is_the_authors_mistake(
    install: Install, elsewhere: FileServer
) -> None:
    url = f"{elsewhere.url}/a/gone/{BETA}"
    run = install(requirements(f"beta @ {url}"), **allowing(elsewhere.url))
    assert (run.status, run.reason) == (1, "PackageSourceUnavailable")
    assert run.message.startswith("requirements.txt line 1: beta: ")
    assert "404" in run.message


def test_an_address_where_nobody_listens_is_the_authors_mistake(install: Install) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        run = install(requirements(f"beta @ {url}/{BETA}"), **allowing(url))
    assert (run.status, run.reason) == (1, "PackageSourceUnavailable")


def test_another_file_than_the_one_that_was_hashed_is_not_installed(
    install: Install, elsewhere: FileServer
) -> None:
    url = f"{elsewhere.url}/a/{BETA}"
    wrong = "0" * 64
    for line in (f"beta @ {url} --hash=sha256:{wrong}", f"beta @ {url}#sha256={wrong}"):
        run = install(requirements(line), **allowing(elsewhere.url))
        assert (run.status, run.reason, run.files()) == (1, "RequirementHashMismatch", {})


PUBLIC_ADDRESSES = {
    **{name: BY_ADDRESS[name] for name in BY_ADDRESS if not name.startswith("uv-lock-registry")},
    "uv-lock-registry": lambda url: uv_lock(f'{{ registry = "{PUBLIC}" }}', fields=wheels(url)),
    "index-option": lambda _: requirements(f"--index-url {PUBLIC}\nbeta"),
}


@pytest.mark.parametrize("files", PUBLIC_ADDRESSES.values(), ids=PUBLIC_ADDRESSES)
def test_an_address_of_the_public_index_means_the_same_file_of_the_configured_one(
    install: Install, files: Callable[[str], dict[str, str]]
) -> None:
    run = install(files(f"{PUBLIC_FILES}/{BETA}"))
    assert (run.status, run.lock) == (0, "beta==1.5\n")


def test_a_lock_gets_no_other_file_from_the_index_than_the_one_it_names(install: Install) -> None:
    fields = wheels(f"{PUBLIC_FILES}/{BETA}", "0" * 64)
    run = install(uv_lock(f'{{ registry = "{PUBLIC}" }}', fields=fields))
    assert (run.status, run.reason) == (1, "RequirementHashMismatch")


@pytest.mark.parametrize("kind", ["editable", "directory"])
@pytest.mark.parametrize("place", ["sub", "../source/sub", "../../source/sub"])
def test_a_local_package_of_a_lock_is_refused_and_its_code_does_not_run(
    install: Install, tmp_path: Path, kind: str, place: str
) -> None:
    marker = str(tmp_path / "ran")
    backend = (
        RUNS.format(marker=marker) + "def build_wheel(*a, **k): ...\nbuild_editable = build_wheel\n"
    )
    files = {
        "sub/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n[project]\nname = "beta"\nversion = "1.5"\n',
        "sub/backend.py": backend,
    }
    run = install(uv_lock(f'{{ {kind} = "{place}" }}', more=files))
    assert not (tmp_path / "ran").exists()
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert "beside the handler" in run.message


@pytest.mark.parametrize(
    "fields",
    [
        'directory = { path = "sub" }',
        f'archive = {{ path = "sub.tar.gz", {HASHES} }}',
        f'version = "1.5"\nwheels = [{{ path = "{BETA}", {HASHES} }}]',
    ],
    ids=["directory", "archive", "wheel"],
)
def test_a_local_package_of_a_pylock_is_refused(install: Install, fields: str) -> None:
    run = install(pylock(fields))
    assert (run.status, run.reason) == (1, "PackageSourceRefused")


def test_a_local_package_of_a_project_is_not_taken_from_the_index_instead(install: Install) -> None:
    for place in ('{ path = "sub" }', "{ workspace = true }"):
        run = install(project("beta", more=f"[tool.uv.sources]\nbeta = {place}\n"))
        assert (run.status, run.reason) == (1, "PackageSourceRefused")


def test_options_of_a_file_do_not_make_a_package_be_built(install: Install) -> None:
    run = install(requirements("--no-binary sourceonly\nsourceonly"))
    assert (run.status, run.reason) == (1, "SourcePackageRefused")


def test_a_source_package_at_an_allowed_address_is_not_built(
    install: Install, tmp_path: Path
) -> None:
    marker = str(tmp_path / "ran")
    content = tarball({"beta-1.5/setup.py": RUNS.format(marker=marker)})
    with file_server({"/beta-1.5.tar.gz": content}) as server:
        url = f"{server.url}/beta-1.5.tar.gz"
        archive = f'{{ url = "{url}", hashes = {{ sha256 = "{sha256(content)}" }} }}'
        for files in (requirements(f"beta @ {url}"), pylock(f"archive = {archive}")):
            run = install(files, **allowing(server.url))
            assert (run.status, run.reason) == (1, "SourcePackageRefused")
        assert server.requested == []
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "settings",
    [
        '[[tool.uv.index]]\nurl = "{}"\n',
        '[tool.uv]\nindex-url = "{}"\n',
        '[tool.uv]\nfind-links = ["{}"]\n',
        '[tool.uv.pip]\nextra-index-url = ["{}"]\n',
    ],
)
def test_another_index_in_the_settings_of_a_project_is_refused(
    install: Install, elsewhere: FileServer, settings: str
) -> None:
    run = install(project("beta", more=settings.format(elsewhere.url)))
    assert (run.status, run.reason) == (1, "PackageIndexNotAllowed")
    assert install(project("beta", more=settings.format(PUBLIC))).status == 0
    assert elsewhere.requested == []


def test_a_package_of_another_index_is_not_taken_from_the_platforms(
    install: Install, elsewhere: FileServer
) -> None:
    named = f'[[tool.uv.index]]\nname = "x"\nurl = "{elsewhere.url}"\nexplicit = true\n'
    run = install(project("beta", more=f'{named}[tool.uv.sources]\nbeta = {{ index = "x" }}\n'))
    assert run.status == 1
    assert elsewhere.requested == []


def test_settings_of_uv_beside_a_lock_have_no_say(install: Install, tmp_path: Path) -> None:
    cache = tmp_path / "cache-of-the-author"
    files = uv_lock(f'{{ registry = "{PUBLIC}" }}', fields=wheels(f"{PUBLIC_FILES}/{BETA}"))
    files["pyproject.toml"] += f'[tool.uv]\ncache-dir = "{cache}"\noffline = true\n'
    files["uv.toml"] = f'cache-dir = "{cache}"\n'
    run = install(files)
    assert (run.status, run.lock) == (0, "beta==1.5\n")
    assert not cache.exists()


def test_a_group_that_its_author_installs_by_default_is_installed_from_the_lock(
    install: Install,
) -> None:
    files = uv_lock(f'{{ registry = "{PUBLIC}" }}', fields=wheels(f"{PUBLIC_FILES}/{BETA}"))
    grouped = '[package.dev-dependencies]\nserved = [{ name = "beta" }]\n'
    lock = files["uv.lock"].replace('dependencies = [{ name = "beta" }]\n', grouped)
    lock = lock.replace(
        'requires-dist = [{ name = "beta" }]\n',
        '[package.metadata.requires-dev]\nserved = [{ name = "beta" }]\n',
    )
    more = '[dependency-groups]\nserved = ["beta"]\n[tool.uv]\ndefault-groups = ["served"]\n'
    run = install({**project(more=more), "uv.lock": lock})
    assert (run.status, run.lock) == (0, "beta==1.5\n")


@pytest.mark.parametrize(
    "files",
    [
        requirements(f"beta==1.5 --hash=sha256:{BETA_SHA256}\nalpha==0.9"),
        requirements("beta==1.5"),
        project("beta==1.5"),
    ],
    ids=["one-of-two", "pinned", "project"],
)  # fmt: skip
def test_where_hashes_are_required_a_package_without_is_refused_by_name(
    install: Install, files: dict[str, str]
) -> None:
    run = install(files, REQUIRE_HASHES="true")
    assert (run.status, run.reason, run.files()) == (1, "HashesRequired", {})
    assert "is asked for without a hash" in run.message
    assert install(files).pinned is False


HASHED = {
    "requirements": requirements(f"beta==1.5 \\\n    --hash=sha256:{BETA_SHA256}  # named"),
    "uv-lock": uv_lock(f'{{ registry = "{PUBLIC}" }}', fields=wheels(f"{PUBLIC_FILES}/{BETA}")),
    "pylock": BY_ADDRESS["pylock-wheels"](f"{PUBLIC_FILES}/{BETA}"),
}


@pytest.mark.parametrize("files", HASHED.values(), ids=HASHED)
def test_what_is_asked_for_by_hash_is_pinned(install: Install, files: dict[str, str]) -> None:
    run = install(files, REQUIRE_HASHES="true")
    assert (run.status, run.lock, run.pinned) == (0, "beta==1.5\n", True)
    assert install(files).pinned is True


def test_what_a_hashed_package_needs_besides_is_not_pinned(install: Install) -> None:
    digest = sha256(PYTHON_FILES["alpha-1.0-py3-none-any.whl"])
    files = requirements(f"alpha==1.0 --hash=sha256:{digest}")
    assert install(files).pinned is False
    assert install(files, REQUIRE_HASHES="true").status == 1


def test_a_source_of_only_its_request_is_enough(install: Install) -> None:
    files = uv_lock(f'{{ registry = "{PUBLIC}" }}', fields=wheels(f"{PUBLIC_FILES}/{BETA}"))
    del files["main.py"]
    assert install(files).status == 0
