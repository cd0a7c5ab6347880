"""Where source packages are allowed, they are fetched unread, and built without the index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.package_indexes import file_server, python_index, tarball, wheel
from tests.integration.runtimes.helpers.git_server import git_server, make_repository
from tests.integration.runtimes.helpers.python_projects import (
    PUBLIC,
    PUBLIC_FILES,
    project,
    pylock,
    requirements,
    sha256,
    uv_lock,
)
from tests.integration.runtimes.helpers.recipe_process import RecipeRun, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., RecipeRun]

PASSWORD = "canary-9c1b"
# A build backend of its own: it writes a wheel, and tells what it has seen.
BACKEND = """
import json, os, pathlib, sys, zipfile
seen = pathlib.Path({seen!r})
def _tell():
    parents = []
    for name in ("self", str(os.getppid())):
        try:
            parents.append(pathlib.Path("/proc", name, "environ").read_bytes().decode("latin-1"))
        except OSError:
            pass
    seen.write_text(json.dumps([dict(os.environ), sys.argv, parents]))
_tell()
def build_wheel(folder, config_settings=None, metadata_directory=None):
    import gamma
    name = "beta-1.5-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("beta/__init__.py", "BUILT = " + repr(gamma.VALUE))
        archive.writestr("beta-1.5.dist-info/METADATA",
            "Metadata-Version: 2.1\\nName: beta\\nVersion: 1.5\\n")
        archive.writestr("beta-1.5.dist-info/WHEEL",
            "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("beta-1.5.dist-info/RECORD", "")
    return name
"""
PYPROJECT = """
[build-system]
requires = ["gamma"]
build-backend = "backend"
backend-path = ["."]
[project]
name = "beta"
version = "1.5"
dependencies = [{dependencies}]
"""


def source_files(seen: Path, dependencies: str = "") -> dict[str, str]:
    return {
        "pyproject.toml": PYPROJECT.format(dependencies=dependencies),
        "backend.py": BACKEND.format(seen=str(seen)),
    }


def sdist(seen: Path, dependencies: str = "") -> bytes:
    files = source_files(seen, dependencies)
    return tarball({f"beta-1.5/{name}": text for name, text in files.items()})


METADATA = "Metadata-Version: 2.2\nName: beta\nVersion: 1.5\n"
UNKNOWN = "Metadata-Version: 2.1\nName: beta\nVersion: 1.5\n"
SDIST = "beta-1.5.tar.gz"
WITHOUT_PROJECT = """
[build-system]
requires = ["gamma"]
build-backend = "backend"
backend-path = ["."]
"""


class Places:
    """An index with a password that has gamma, delta and, as a source, beta."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen = folder / "seen.json"
        self.sdist = sdist(self.seen, '"delta>=1"')
        gamma = {"gamma.py": "VALUE = 'with gamma'\n"}
        self.index_files = {
            SDIST: self.sdist,
            "gamma-2.0-py3-none-any.whl": wheel("gamma", "2.0", files=gamma),
            "delta-1.0-py3-none-any.whl": wheel("delta", "1.0", files={"delta.py": ""}),
            "needs-1.0-py3-none-any.whl": wheel(
                "needs", "1.0", requires="beta", files={"needs.py": ""}
            ),
        }

    def install(self, index: str, files: dict[str, str], **settings: str) -> RecipeRun:
        """Both steps; the second only if the first succeeds."""
        common = {"DOWNLOADS_DIR": str(self.folder / "downloads"), "ALLOW_SOURCE_PACKAGES": "true"}
        (self.folder / "downloads").mkdir()
        run = run_recipe(
            "python", files, self.folder / "run", PACKAGE_INDEX_URL=index,
            PACKAGE_INDEX_USERNAME="me", PACKAGE_INDEX_PASSWORD=PASSWORD, **common, **settings,
        )  # fmt: skip
        # Nothing that is in a package has run where the password is.
        assert not self.seen.exists()
        assert PASSWORD not in run.log + run.message + (run.lock or "")
        if run.status != 0:
            return run
        left = b"".join(file.read_bytes() for file in self.folder.rglob("*") if file.is_file())
        assert PASSWORD.encode() not in left
        return run_recipe("python", {}, self.folder / "run", again="source_recipe.py", **common)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    from tests.helpers import package_indexes  # noqa: PLC0415

    # Beta is known as a source alone here.
    monkeypatch.delitem(package_indexes.PYTHON_FILES, "beta-1.5-py3-none-any.whl")
    return Places(tmp_path)


@pytest.fixture
def index(places: Places) -> Iterator[str]:
    with python_index(credential=("me", PASSWORD), more=places.index_files) as url:
        yield url


LOCKED = """version = "1.5"
index = "{public}"
sdist = {{ url = "{files}/{name}", hashes = {{ sha256 = "{digest}" }} }}"""


def locked(places: Places) -> dict[str, str]:
    digest = sha256(places.sdist)
    return pylock(LOCKED.format(public=PUBLIC, files=PUBLIC_FILES, name=SDIST, digest=digest))


@pytest.mark.parametrize("asked", ["requirements", "project", "transitive"])
def test_a_package_without_wheel_is_built_with_what_it_and_its_build_need(
    places: Places, index: str, asked: str
) -> None:
    files = {
        "requirements": requirements("beta"),
        "project": project("beta==1.5"),
        "transitive": requirements("needs"),
    }
    run = places.install(index, files[asked])
    needs = "needs==1.0\n" if asked == "transitive" else ""
    assert (run.status, run.lock) == (0, f"beta==1.5\ndelta==1.0\n{needs}")
    assert (run.packages / "beta" / "__init__.py").read_text() == "BUILT = 'with gamma'"
    # What it was built with is not part of the function.
    assert not (run.packages / "gamma.py").exists()
    assert not run.pinned


def test_a_build_sees_no_password_of_the_index(places: Places, index: str) -> None:
    assert places.install(index, requirements("beta")).status == 0
    environment, _, parents = json.loads(places.seen.read_text())
    assert PASSWORD not in json.dumps([environment, parents])
    assert "PACKAGE_INDEX_URL" not in environment


def test_a_locked_source_package_is_the_one_that_the_lock_names(places: Places, index: str) -> None:
    run = places.install(index, locked(places))
    # What it needs is not in this lock.
    assert (run.status, run.lock) == (0, "beta==1.5\n")


def test_another_source_package_than_the_locked_one_is_not_built(
    places: Places, index: str
) -> None:
    files = locked(places)
    files["pylock.toml"] = files["pylock.toml"].replace(sha256(places.sdist), "0" * 64)
    run = places.install(index, files)
    assert (run.status, run.reason) == (1, "RequirementHashMismatch")


def test_a_source_package_of_a_uv_lock_is_built(places: Places, index: str) -> None:
    digest = sha256(places.sdist)
    fields = f'sdist = {{ url = "{PUBLIC_FILES}/{SDIST}", hash = "sha256:{digest}" }}'
    run = places.install(index, uv_lock(f'{{ registry = "{PUBLIC}" }}', fields=fields))
    assert (run.status, run.lock) == (0, "beta==1.5\n")


def test_what_only_code_could_tell_needs_a_lock_and_the_error_says_so(
    places: Places, index: str
) -> None:
    content = tarball(
        {
            "beta-1.5/PKG-INFO": UNKNOWN,
            "beta-1.5/pyproject.toml": WITHOUT_PROJECT,
            "beta-1.5/backend.py": source_files(places.seen)["backend.py"],
        }
    )
    with python_index(credential=("me", PASSWORD), more={SDIST: content}) as url:
        run = places.install(url, requirements("beta"))
    assert (run.status, run.reason) == (1, "SourcePackageRefused")
    assert "lock" in run.message


def test_metadata_of_its_own_are_believed_since_they_are_static(places: Places) -> None:
    files = source_files(places.seen)
    content = tarball(
        {
            "beta-1.5/PKG-INFO": METADATA,
            "beta-1.5/pyproject.toml": WITHOUT_PROJECT,
            "beta-1.5/backend.py": files["backend.py"],
        }
    )
    more = {**places.index_files, SDIST: content}
    with python_index(credential=("me", PASSWORD), more=more) as url:
        run = places.install(url, requirements("beta"))
    assert (run.status, run.lock) == (0, "beta==1.5\n")


def test_a_build_that_lacks_what_it_needs_is_the_authors_mistake(places: Places) -> None:
    content = sdist(places.seen).replace(b"", b"")
    files = {
        "beta-1.5/pyproject.toml": PYPROJECT.format(dependencies=""),
        "beta-1.5/backend.py": "",
    }
    content = tarball(files)
    more = {**places.index_files, SDIST: content}
    with python_index(credential=("me", PASSWORD), more=more) as url:
        run = places.install(url, requirements("beta"))
    assert (run.status, run.reason) == (1, "PackageBuildFailed")


def test_a_source_package_at_an_allowed_address_is_built_and_locked_with_it(
    places: Places, index: str
) -> None:
    with file_server({f"/x/{SDIST}": places.sdist}) as server:
        url = f"{server.url}/x/{SDIST}"
        run = places.install(
            index, requirements(f"beta @ {url}"), PACKAGE_URL_PREFIXES=json.dumps([server.url])
        )
    assert (run.status, run.lock) == (
        0,
        f"beta @ {url}#sha256={sha256(places.sdist)}\ndelta==1.0\n",
    )


@pytest.mark.parametrize("is_allowed", [True, False], ids=["at an address", "of the index"])
def test_an_address_that_a_source_package_asks_for_is_refused_before_it_is_fetched(
    places: Places, *, is_allowed: bool
) -> None:
    name = "delta-1.0-py3-none-any.whl"
    files: dict[str, bytes | str] = {f"/b/{name}": places.index_files[name]}
    with file_server(files) as server:
        content = sdist(places.seen, f'"delta @ {server.url}/b/{name}"')
        files[f"/a/{SDIST}"] = content
        asked = f"beta @ {server.url}/a/{SDIST}" if is_allowed else "beta"
        with python_index(credential=("me", PASSWORD), more={SDIST: content}) as index:
            allowed = json.dumps([f"{server.url}/a/"])
            run = places.install(index, requirements(asked), PACKAGE_URL_PREFIXES=allowed)
        assert f"/b/{name}" not in server.requested
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert "delta" in run.message


@pytest.mark.parametrize("egg", ["{folder}", "../../{folder}", "beta other", "béta", "-"])
def test_the_name_of_a_source_package_is_a_name(places: Places, index: str, egg: str) -> None:
    """It becomes a line of what uv reads, and a folder."""
    folder = places.folder / "outside"
    with file_server({f"/x/{SDIST}": places.sdist}) as server:
        text = f"{server.url}/x/{SDIST}#egg={egg.format(folder=folder)}"
        run = places.install(
            index,
            {"main.py": "", "pyproject.toml": NAMED.format(json.dumps(text))},
            PACKAGE_URL_PREFIXES=json.dumps([server.url]),
        )
        assert server.requested == []
    assert (run.status, run.reason) == (1, "InvalidRequirements")
    assert not folder.exists()


NAMED = '[project]\nname = "app"\nversion = "1"\ndependencies = [{}]\n'


def test_where_hashes_are_required_nothing_is_built_with_packages_that_have_none(
    places: Places, index: str
) -> None:
    run = places.install(index, locked(places), REQUIRE_HASHES="true")
    assert (run.status, run.reason) == (1, "HashesRequired")


def test_packages_with_wheels_are_not_built(places: Places, index: str) -> None:
    run = places.install(index, requirements("delta"))
    assert (run.status, run.lock) == (0, "delta==1.0\n")
    assert not places.seen.exists()


def test_one_step_does_both_where_there_is_no_other(places: Places, index: str) -> None:
    run = run_recipe(
        "python", requirements("beta"), places.folder / "run", PACKAGE_INDEX_URL=index,
        PACKAGE_INDEX_USERNAME="me", PACKAGE_INDEX_PASSWORD=PASSWORD, ALLOW_SOURCE_PACKAGES="true",
    )  # fmt: skip
    assert (run.status, run.lock) == (0, "beta==1.5\ndelta==1.0\n")
    environment, *_ = json.loads(places.seen.read_text())
    assert PASSWORD not in json.dumps(environment)


def test_a_commit_of_an_allowed_repository_is_built_and_locked(
    places: Places, index: str, require_server: Callable[[str, str], str]
) -> None:
    require_server("git", "apt-get install git")
    repositories = places.folder / "repositories"
    commit = make_repository(repositories / "beta.git", source_files(places.seen))
    with git_server(repositories) as server:
        url = f"{server}/beta.git"
        run = places.install(
            index, requirements(f"beta @ git+{url}@{commit}"), ALLOW_GIT_PACKAGES="true",
            PACKAGE_URL_PREFIXES=json.dumps([server]),
        )  # fmt: skip
    assert (run.status, run.lock) == (0, f"beta @ git+{url}@{commit}\n")
