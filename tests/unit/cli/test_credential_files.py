"""Files that usually contain credentials are left out, with a warning."""

from __future__ import annotations

import json

import pytest

from kn_lambda.deploying.source_files import read_source
from kn_lambda.errors import ExitCode, WrongUsageError

KEPT_BACK = (
    ".npmrc", ".yarnrc", ".yarnrc.yml", ".netrc", "_netrc", ".pypirc", "pip.conf", "pip.ini",
    ".git-credentials", ".htpasswd", ".pgpass", ".my.cnf", ".env", ".env.production", ".envrc",
    ".vault-token", ".dockercfg", ".s3cfg", ".boto", "kubeconfig", "dev.kubeconfig", "prod.env",
    ".aws/credentials", ".aws/sso/cache/a.json", ".ssh/known_hosts", ".kube/config", ".gnupg/a/b",
    ".docker/config.json", ".azure/accessTokens.json", ".config/gcloud/credentials.db",
    "application_default_credentials.json", "credentials.json", "client_secret_1.json",
    "service-account.json", "serviceAccountKey.json", "secrets.yaml", "a.pem", "server.key",
    "a.p12", "a.pfx", "a.jks", "a.keystore", "a.kdbx", "a.ppk", "a.ovpn", "id_rsa", "id_dsa",
    "id_ecdsa", "id_ed25519", "id_ed25519_sk", "deploy_rsa", ".bash_history", ".python_history",
    "terraform.tfstate", "terraform.tfstate.backup", "prod.tfvars", "prod.tfvars.json",
)  # fmt: skip
DEPLOYED = (
    "main.py", "package.json", "package-lock.json", "requirements.txt", "config.json", "keys.py",
    "key.py", "env.py", "secrets.py", "credentials.py", "rsa.py", "id_rsa.pub", "id_ed25519.pub",
    ".env.example", ".env.sample", ".env.template", "certifi/cacert.pem", ".docker/Dockerfile",
    ".config/app.toml", "aws/main.py", "npmrc.md", "server.crt", "uv.toml", "pyproject.toml",
)  # fmt: skip


def _read(root, include=()):
    source = read_source(root, max_bytes=10_000, max_files=1000, include=include)
    return [file.path for file in source.files], source.left_out


def _write(root, *names, **contents):
    for name in (*names, *contents):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents.get(name, "secret"))


@pytest.mark.parametrize("folder", ["", "deep/er/"], ids=["at the top", "below"])
@pytest.mark.parametrize("change", [str, str.upper], ids=["as it is", "in capitals"])
def test_they_stay_here_wherever_they_are_and_however_they_are_written(tmp_path, folder, change):
    _write(tmp_path, *DEPLOYED)
    names = [folder + change(name) for name in KEPT_BACK]
    _write(tmp_path, *names)
    files, left_out = _read(tmp_path)
    assert sorted(left_out) == sorted(names)
    assert sorted(files) == sorted(DEPLOYED)


@pytest.mark.parametrize("name", KEPT_BACK)
def test_each_is_brought_back_by_its_name_or_that_of_its_folder(tmp_path, name):
    _write(tmp_path, "main.py", name)
    for pattern in (name, name.partition("/")[0], f"/{name}"):
        assert _read(tmp_path, [pattern]) == (sorted([name, "main.py"]), [])
    _write(tmp_path, **{".funcignore": f"!{name}\n"})
    assert _read(tmp_path) == (sorted([name, "main.py"]), [])


def test_nothing_is_said_of_what_the_funcignore_names(tmp_path):
    _write(tmp_path, "main.py", ".npmrc", "certs/a.pem", ".env")
    _write(tmp_path, **{".funcignore": ".npmrc\ncerts/\n"})
    assert _read(tmp_path) == (["main.py"], [".env"])


def test_a_folder_that_is_brought_back_brings_no_credentials_along(tmp_path):
    _write(tmp_path, "src/main.py", "src/.npmrc", "src/.aws/credentials", "other.py")
    _write(tmp_path, **{".funcignore": "/*\n!/src/\n"})
    assert _read(tmp_path) == (["src/main.py"], ["src/.aws/credentials", "src/.npmrc"])


def test_include_goes_before_the_funcignore_too(tmp_path):
    _write(tmp_path, "main.py", "notes.txt", "a.pem", "b.pem")
    _write(tmp_path, **{".funcignore": "*.txt\n*.pem\n"})
    assert _read(tmp_path, ["notes.txt", "b.*"]) == (["b.pem", "main.py", "notes.txt"], [])


def test_a_link_is_judged_by_what_it_leads_to_as_well(tmp_path):
    _write(tmp_path, "main.py", ".npmrc", ".git/config", "plain.txt")
    for name, target in {
        "config.txt": ".npmrc", "again.txt": "config.txt", "git.txt": ".git/config",
        "key.pem": "plain.txt", "fine.txt": "plain.txt",
    }.items():  # fmt: skip
        (tmp_path / name).symlink_to(target)
    files, left_out = _read(tmp_path)
    assert files == ["fine.txt", "main.py", "plain.txt"]
    assert left_out == [
        ".npmrc", "again.txt (a link to .npmrc)", "config.txt (a link to .npmrc)",
        "git.txt (a link to .git/config)", "key.pem (a link to plain.txt)",
    ]  # fmt: skip
    assert "config.txt" in _read(tmp_path, ["config.txt"])[0]
    assert {".npmrc", "again.txt", "config.txt"} < set(_read(tmp_path, [".npmrc"])[0])


def test_a_link_to_the_credentials_of_a_person_is_left_out_or_rejected(tmp_path):
    _write(tmp_path, "home/.npmrc", "source/main.py")
    (tmp_path / "source" / ".npmrc").symlink_to(tmp_path / "home" / ".npmrc")
    (tmp_path / "source" / "config.txt").symlink_to(tmp_path / "home" / ".npmrc")
    _, left_out = _read(tmp_path / "source")
    assert left_out == [
        ".npmrc (a link to ../home/.npmrc)", "config.txt (a link to ../home/.npmrc)"
    ]  # fmt: skip


def test_a_single_file_is_judged_too(tmp_path):
    _write(tmp_path, "server.key")
    (tmp_path / "main.py").symlink_to("server.key")
    for name in ("server.key", "main.py"):
        with pytest.raises(WrongUsageError, match="usually contain credentials") as rejected:
            _read(tmp_path / name)
        assert "--include" in rejected.value.hint
        assert _read(tmp_path / name, [name]) == ([name], [])


@pytest.mark.parametrize("pattern", ["", "!", "!a.pem", "\\"])
def test_a_pattern_that_is_none_is_wrong_usage(tmp_path, pattern):
    _write(tmp_path, "main.py")
    with pytest.raises(WrongUsageError, match="pattern"):
        _read(tmp_path, [pattern])


def test_a_funcignore_that_cannot_be_read_is_wrong_usage_and_names_its_line(tmp_path):
    _write(tmp_path, "main.py", **{".funcignore": "a\n!\n"})
    with pytest.raises(WrongUsageError, match=r"\.funcignore, line 2: '!' is not a valid"):
        _read(tmp_path)


@pytest.fixture
def source(tmp_path):
    _write(tmp_path / "hello", "main.py")
    return tmp_path / "hello"


@pytest.mark.parametrize("options", [[], ["-o", "json"], ["-o", "name"], ["--no-wait"]])
def test_deploy_warns_once_of_files_that_it_leaves_out_and_gives_a_hint(
    kn_lambda, fake_platform, source, options
):
    fake_platform.finish("Ready")
    _write(source, ".npmrc", *(f"certs/{number:03}.pem" for number in range(200)))
    result = kn_lambda("deploy", str(source), *options)
    assert result.exit_code == ExitCode.OK, result.output
    assert result.stderr.count("Warning: ") == 1
    warning, hint = result.stderr.partition("Warning: ")[2].splitlines()[:2]
    assert ": .npmrc, certs/000.pem, certs/001.pem, " in warning
    assert warning.endswith(" and 181 more")
    assert "--include NAME" in hint
    assert "Warning" not in result.stdout
    (event,) = fake_platform.requests()
    assert set(event["data"]["source"]["inline"]) == {"main.py"}


def test_deploy_is_silent_where_nothing_stays_here(kn_lambda, fake_platform, source):
    fake_platform.finish("Ready")
    _write(source, ".npmrc", "a.pem")
    result = kn_lambda("deploy", str(source), "--include", ".npmrc", "--include", "*.pem")
    assert "Warning" not in result.stderr
    (event,) = fake_platform.requests()
    assert set(event["data"]["source"]["inline"]) == {"main.py", ".npmrc", "a.pem"}


def test_the_warning_comes_before_a_failure_that_it_explains(kn_lambda, fake_platform, source):
    fake_platform.finish("Failed", reason="RevisionFailed", message="no such file: a.pem")
    _write(source, "a.pem")
    said = kn_lambda("deploy", str(source)).stderr
    assert said.index("runs without them") < said.index("Error: RevisionFailed")


def test_a_name_cannot_add_lines_to_the_warning(on_terminal, fake_platform, source):
    fake_platform.finish("Ready")
    _write(source, "a\nError: hacked\x1b[2J.pem")
    said = on_terminal("deploy", str(source)).stderr
    assert r"a\nError: hacked\x1b[2J.pem" in said


def test_include_without_a_source_in_the_path_is_wrong_usage(kn_lambda, source):
    options = ("--include", "a.pem", "--source", "s3://bucket/key.zip")
    result = kn_lambda("deploy", str(source), *options)
    assert result.exit_code == ExitCode.USAGE
    assert "--include" in result.stderr


def test_json_stays_one_document(kn_lambda, fake_platform, source):
    fake_platform.finish("Ready")
    _write(source, ".env")
    assert json.loads(kn_lambda("deploy", str(source), "-o", "json").stdout)["outcome"] == "ready"


@pytest.mark.parametrize("pattern", ["no-such-file", "a.pem/", "node_modules/a.pem", "../a.pem"])
def test_an_include_that_matches_no_file_is_wrong_usage(kn_lambda, source, pattern):
    _write(source, "a.pem", "node_modules/a.pem")
    result = kn_lambda("deploy", str(source), "--include", pattern)
    assert result.exit_code == ExitCode.USAGE
    assert f"--include {pattern!r} matches no file" in result.stderr
