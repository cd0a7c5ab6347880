import pytest

from knative_lambda.domain.errors import UnsupportedSourceError
from knative_lambda.domain.hosted_source import GitSource, read_git_uri

REPOSITORY = "https://git.example.com/team/code.git"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("rest", "ref", "path"),
    [
        ("", None, ""),
        ("@main", "main", ""),
        ("@feature/x-1.2", "feature/x-1.2", ""),
        ("@refs/pull/7/head", "refs/pull/7/head", ""),
        (f"@{COMMIT}", COMMIT, ""),
        ("#functions/hello", None, "functions/hello"),
        ("@v1.0#functions/hello/", "v1.0", "functions/hello"),
        ("#main.py", None, "main.py"),
        ("@main#two words/näme.py", "main", "two words/näme.py"),
        ("@main#", "main", ""),
        ("@main#a@b", "main", "a@b"),
        ("/@main", "main", ""),
    ],
)
def test_a_uri_names_a_repository_a_ref_and_a_path(rest, ref, path):
    found = read_git_uri(f"git+{REPOSITORY}{rest}")
    assert found == GitSource(repository=REPOSITORY, ref=ref, path=path)


@pytest.mark.parametrize(
    "uri",
    [
        "git+https://git.example.com",
        "git+https://git.example.com/",
        "git+https:///team/code",
        "git+https://user@git.example.com/team/code",
        f"git+{REPOSITORY}?ref=main",
        f"git+{REPOSITORY}@",
        f"git+{REPOSITORY}@a@b",
        f"git+{REPOSITORY}@--upload-pack=x",
        f"git+{REPOSITORY}@a..b",
        f"git+{REPOSITORY}@a//b",
        f"git+{REPOSITORY}@a/",
        f"git+{REPOSITORY}@a.lock",
        f"git+{REPOSITORY}@a b",
        f"git+{REPOSITORY}@a\nb",
        f"git+{REPOSITORY}@a~1",
        f"git+{REPOSITORY}#../other",
        f"git+{REPOSITORY}#a/./b",
        f"git+{REPOSITORY}#a//b",
        f"git+{REPOSITORY}#a#b",
        "git+ssh://git@git.example.com/team/code",
        "git+http://git.example.com/team/code",
    ],
)
def test_another_uri_is_refused_with_its_field(uri):
    with pytest.raises(UnsupportedSourceError, match=r"^source\.uri ") as refused:
        read_git_uri(uri)
    assert refused.value.field == "source.uri"


@pytest.mark.parametrize(
    ("ref", "is_commit"), [(COMMIT, True), (COMMIT[:12], False), (None, False)]
)
def test_only_a_whole_commit_never_moves(ref, is_commit):
    assert GitSource(repository=REPOSITORY, ref=ref, path="").is_commit is is_commit
