"""Sources in repositories, of git's own server."""

from __future__ import annotations

import os

import pytest

from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceAccessDeniedError,
    SourceNotFoundError,
    ThrottledError,
    UnsupportedSourceError,
)
from knative_lambda.domain.names import FunctionId
from tests.helpers.git_servers import GIT, serving_git
from tests.integration.sources.helpers.secrets import LOOPBACK, TOKEN

HELLO = FunctionId("default", "hello")
CODE = {"README": "of all", "hello/main.py": "def handler(event): ...", "hello/lib/a.py": "a = 1"}


@pytest.fixture(params=[2, 0], ids=["version 2", "version 0"])
def server(request, require_server, authority, tmp_path):
    require_server(*GIT)
    with serving_git(tmp_path / "git", authority, version=request.param) as server:
        yield server


@pytest.fixture
def check_out(sources_of):
    def check_out(server, rest="", *, name="team/code", secret=None, **options):
        sources = sources_of(f"{server.host}={LOOPBACK}", **options)
        with sources.checkout(HELLO, f"git+{server.url}/{name}{rest}", secret) as checkout:
            return checkout.commit, {file.path: file.content for file in checkout.files}

    return check_out


def content(text):
    return text.encode()


def test_a_ref_names_a_commit_and_a_path_what_is_taken_of_it(server, check_out):
    repository = server.repository("team/code")
    first = repository.commit(CODE)
    repository.git("tag", "light")
    repository.git("tag", "--annotate", "v1", "-m", "first")
    repository.git("branch", "feature/one")
    second = repository.commit({"hello/main.py": "def handler(event): return 2"})
    old, new = (
        content(text) for text in ("def handler(event): ...", "def handler(event): return 2")
    )
    a = content("a = 1")
    for rest, commit, files in [
        ("", second, {"README": b"of all", "hello/lib/a.py": a, "hello/main.py": new}),
        ("#hello", second, {"lib/a.py": a, "main.py": new}),
        ("@main#hello/lib/", second, {"a.py": a}),
        ("@main#hello/main.py", second, {"main.py": new}),
        ("@feature/one#hello", first, {"lib/a.py": a, "main.py": old}),
        ("@light#hello", first, {"lib/a.py": a, "main.py": old}),
        ("@v1#hello", first, {"lib/a.py": a, "main.py": old}),
        ("@refs/tags/v1#hello", first, {"lib/a.py": a, "main.py": old}),
        (f"@{first}#hello", first, {"lib/a.py": a, "main.py": old}),
        (f"@{second}#hello", second, {"lib/a.py": a, "main.py": new}),
    ]:
        assert check_out(server, rest) == (commit, files), rest


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("@gone", "the repository has no branch or tag gone"),
        ("@mai", "the repository has no branch or tag mai"),
        (f"@{'1' * 40}", f"the repository has no commit {'1' * 40}"),
        (f"@{'0' * 40}", f"the repository has no commit {'0' * 40}"),
        ("#gone", "has no 'gone'"),
        ("#hello/main.py/a", "has no 'hello/main.py/a'"),
    ],
)
def test_what_is_not_there_is_named(server, check_out, rest, message):
    server.repository("team/code").commit(CODE)
    with pytest.raises(SourceNotFoundError) as refused:
        check_out(server, rest)
    assert message in refused.value.message
    assert refused.value.field == "source.uri"


def test_a_repository_without_a_commit_or_none_at_all_is_named(server, check_out):
    server.repository("team/code")
    with pytest.raises(SourceNotFoundError, match="no default branch"):
        check_out(server)
    with pytest.raises(SourceNotFoundError, match="no such source"):
        check_out(server, name="team/other")


def test_only_one_commit_is_fetched(git, check_out):
    repository = git.repository("team/code")
    for number in range(5):
        repository.commit({"large": os.urandom(400_000), "main.py": str(number)})
    assert check_out(git)[1]["main.py"] == b"4"


def test_a_packed_repository_with_deltas_of_deltas_is_unpacked(server, check_out):
    repository = server.repository("team/code")
    lines = [f"line {number}\n" for number in range(2000)]
    files = {}
    for number in range(40):
        lines[number * 7] = f"changed {number}\n"
        files[f"copy-{number:02}.txt"] = "".join(lines)
    repository.commit(files)
    repository.git("repack", "-adfq", "--depth=40", "--window=50")
    assert check_out(server)[1] == {name: content(text) for name, text in files.items()}


def test_executable_files_stay_so(git, sources_of):
    repository = git.repository("team/code")
    repository.commit({"run.sh": "#!/bin/sh", "main.py": ""})
    repository.git("update-index", "--chmod=+x", "run.sh")
    repository.git("commit", "--quiet", "-m", "executable")
    sources = sources_of(f"{git.host}={LOOPBACK}")
    with sources.checkout(HELLO, f"git+{git.url}/team/code", None) as checkout:
        assert {file.path: file.is_executable for file in checkout.files} == {
            "main.py": False,
            "run.sh": True,
        }


def test_a_link_is_refused_by_its_name(git, check_out):
    repository = git.repository("team/code")
    repository.commit(CODE)
    (repository.folder / "hello/passwd").symlink_to("/etc/passwd")
    repository.commit({})
    with pytest.raises(UnsupportedSourceError, match="'hello/passwd' in the repository is a symb"):
        check_out(git)
    assert check_out(git, "#hello/lib")[1] == {"a.py": b"a = 1"}


def test_a_submodule_is_refused_by_its_name_and_never_fetched(git, check_out):
    repository = git.repository("team/code")
    commit = repository.commit(CODE)
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/other")
    repository.git("commit", "--quiet", "-m", "submodule")
    with pytest.raises(UnsupportedSourceError, match="'vendor/other' in the repository is a subm"):
        check_out(git)
    assert "main.py" in check_out(git, "#hello")[1]


def test_a_private_repository_is_opened_by_the_secret(
    require_server, authority, tmp_path, check_out
):
    require_server(*GIT)
    with serving_git(tmp_path / "git", authority, authorization=f"Bearer {TOKEN}") as server:
        commit = server.repository("team/code").commit(CODE)
        assert check_out(server, "@main", secret="deploy-token")[0] == commit
        with pytest.raises(SourceAccessDeniedError, match=r"it needs source\.secretRef") as refused:
            check_out(server)
    assert refused.value.field == "source.secretRef"


def test_a_token_that_is_not_accepted_is_not_repeated(
    require_server, authority, tmp_path, check_out
):
    require_server(*GIT)
    with serving_git(tmp_path / "git", authority, authorization="Bearer another") as server:
        server.repository("team/code").commit(CODE)
        with pytest.raises(SourceAccessDeniedError, match="does not accept the Secret") as refused:
            check_out(server, secret="deploy-token")
    assert TOKEN not in str(refused.value)


def test_a_repository_that_is_too_large_to_fetch_is_refused(git, check_out):
    repository = git.repository("team/code")
    repository.commit({"main.py": "", "large": os.urandom(1_100_000)})
    with pytest.raises(LimitExceededError, match="over 1000000 bytes"):
        check_out(git, "#main.py")


def test_a_repository_that_is_too_large_unpacked_is_refused(git, check_out):
    repository = git.repository("team/code")
    repository.commit({"main.py": "", "bomb": b"\0" * 100_000_000})
    with pytest.raises(LimitExceededError, match="files of the repository are over 2000000 bytes"):
        check_out(git, "#main.py")


def test_a_source_of_too_many_files_is_refused(git, check_out):
    repository = git.repository("team/code")
    repository.commit({f"{number}.py": "" for number in range(101)})
    with pytest.raises(LimitExceededError, match="over 100 files and folders"):
        check_out(git)


def test_trees_that_contain_each_other_many_times_are_refused(git, check_out):
    """Ten folders of ten equal folders, ten levels deep: ten thousand million files."""
    repository = git.repository("team/code")
    inside = repository.git("hash-object", "-w", "--stdin", stdin=b"x")
    inside = f"100644 blob {inside}"
    for _ in range(10):
        lines = "".join(f"{inside}\tf{number}\n" for number in range(10))
        inside = "040000 tree " + repository.git("mktree", stdin=lines.encode())
    commit = repository.git("commit-tree", inside.split()[-1], "-m", "bomb")
    repository.git("update-ref", "refs/heads/main", commit)
    with pytest.raises(LimitExceededError, match="over 100 files and folders"):
        check_out(git)


def test_a_repository_of_sha256_is_refused(require_server, authority, tmp_path, check_out):
    require_server(*GIT)
    with serving_git(tmp_path / "git", authority) as server:
        repository = server.repository("team/code", "--object-format=sha256")
        repository.commit(CODE)
        with pytest.raises(UnsupportedSourceError, match="by SHA-256, which is not supported"):
            check_out(server)


def test_two_repositories_are_fetched_at_once_and_another_one_later(git, sources_of):
    git.repository("team/code").commit(CODE)
    uri = f"git+{git.url}/team/code"
    sources = sources_of(f"{git.host}={LOOPBACK}", room_seconds=0.05)
    with (
        sources.checkout(HELLO, uri, None),
        sources.checkout(HELLO, uri, None),
        pytest.raises(ThrottledError),
        sources.checkout(HELLO, uri, None),
    ):
        pass
    with sources.checkout(HELLO, uri, None) as checkout:
        assert list(checkout.files)


def test_a_fetch_that_fails_makes_room_for_the_next(git, sources_of):
    sources = sources_of(f"{git.host}={LOOPBACK}", room_seconds=0.05)
    for _ in range(4):
        gone = f"git+{git.url}/team/gone"
        with pytest.raises(SourceNotFoundError), sources.checkout(HELLO, gone, None):
            pass
