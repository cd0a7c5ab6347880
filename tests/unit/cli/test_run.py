"""The parts of `kn-lambda run` that need no process."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from kn_lambda.deploying.deploy_request import Overrides
from kn_lambda.deploying.source_files import SourceFile
from kn_lambda.errors import CommandError, WrongUsageError
from kn_lambda.running import run
from kn_lambda.running.debugging import Debugging
from kn_lambda.running.folder_filter import FolderFilter
from kn_lambda.running.local_function import local_function, read_request
from kn_lambda.running.packages import InstallationError, Packages
from kn_lambda.running.places import Places, held_by_one
from kn_lambda.running.source_copy import update_copy
from kn_lambda.running.terminal_log import TerminalLog
from knative_lambda.domain.names import FunctionId
from lambda_builder.language import Debugger
from lambda_builder.runtime import find_runtime
from lambda_embedded.listeners import port_of

HELLO = FunctionId.parse("default/hello")
RUNTIMES = Path(__file__).parents[3] / "runtimes"
HEAD = "apiVersion: knative-lambda.dev/v1alpha1\nkind: LambdaFunction\nspec:\n  runtime: python\n"


def test_without_a_port_it_takes_a_free_one_beside_a_platform(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as platform:
        taken = platform.getsockname()[1]
        monkeypatch.setattr(run, "_PREFERRED_PORT", taken)
        with run._listener(None) as listener:
            assert port_of(listener) != taken
        with pytest.raises(CommandError, match=f"port {taken} .* is not available"):
            run._listener(taken).__enter__()


def function(tmp_path, spec="", **variables):
    (tmp_path / "main.py").write_text("")
    (tmp_path / "function.yaml").write_text(HEAD + spec)
    request = read_request(tmp_path, Overrides(), variables)
    return local_function(request, HELLO, "python3.11")


def test_a_function_has_the_variables_that_its_pod_would_have(tmp_path):
    spec = "  timeoutSeconds: 9\n  env:\n  - {name: A, value: '1'}\n  - {name: B, value: $(A)2}\n"
    assert function(tmp_path, spec).variables == {
        "FUNCTION_NAME": "default/hello",
        "FUNCTION_SIGNATURE": "cloudevent",
        "FUNCTION_TIMEOUT_SECONDS": "9",
        "FUNCTION_CONCURRENCY": "10",
        "A": "1",
        "B": "12",
    }


REFERENCES = """\
  env:
  - {name: TOKEN, secretKeyRef: {name: db, key: token}}
  - {name: LEVEL, configMapKeyRef: {name: logs, key: level}}
  - {name: PERHAPS, secretKeyRef: {name: db, key: other, optional: true}}
"""


def test_what_only_a_platform_has_must_be_given(tmp_path):
    with pytest.raises(
        CommandError, match=r"TOKEN \(Secret db\), LEVEL \(ConfigMap logs\)"
    ) as told:
        function(tmp_path, REFERENCES)
    assert "-e TOKEN=VALUE -e LEVEL=VALUE" in told.value.hint
    assert "PERHAPS" not in told.value.message

    variables = function(tmp_path, REFERENCES, TOKEN="secret", LEVEL="debug").variables
    assert (variables["TOKEN"], variables["LEVEL"]) == ("secret", "debug")
    assert "PERHAPS" not in variables


def test_the_platforms_own_variables_cannot_be_given(tmp_path):
    with pytest.raises(WrongUsageError, match="PORT is set by the platform"):
        function(tmp_path, PORT="80")


def test_a_source_that_is_elsewhere_cannot_be_run(tmp_path):
    with pytest.raises(WrongUsageError, match="needs the code itself"):
        function(tmp_path, "  source: {uri: 's3://bucket/key'}\n")


def files(**contents: str) -> list[SourceFile]:
    return [SourceFile(path.replace("__", "/"), text.encode()) for path, text in contents.items()]


def shown(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_the_copy_has_these_files_and_no_others(tmp_path):
    copy = tmp_path / "copy"
    assert update_copy(files(main="1", deep__er__file="2"), copy) == ["deep/er/file", "main"]
    assert update_copy(files(main="1", deep__er__file="2"), copy) == []
    assert update_copy(files(main="3", deep="now a file"), copy) == ["deep", "deep/er/file", "main"]
    assert shown(copy) == {"main": "3", "deep": "now a file"}


def test_an_executable_file_stays_so(tmp_path):
    script = SourceFile("run.sh", b"exit", is_executable=True)
    assert update_copy([script], tmp_path / "copy") == ["run.sh"]
    assert (tmp_path / "copy/run.sh").stat().st_mode & 0o100
    assert update_copy([SourceFile("run.sh", b"exit")], tmp_path / "copy") == ["run.sh"]


def test_a_link_that_a_function_left_in_the_copy_is_not_followed(tmp_path):
    own, copy = tmp_path / "own", tmp_path / "copy"
    own.mkdir()
    (own / "file").write_text("mine")
    copy.mkdir()
    (copy / "main").symlink_to(own / "file")
    (copy / "deep").symlink_to(own)
    update_copy(files(main="1", deep__file="2"), copy)
    assert shown(own) == {"file": "mine"}
    assert shown(copy) == {"main": "1", "deep/file": "2"}


def test_a_log_is_shown_by_whole_lines_that_name_the_authors_files():
    lines: list[str] = []
    log = TerminalLog(lines.append, (("/copy/", "/own/"),))
    log.write(b"File /copy/main")
    log.write(b".py\r\n\xff\nunfinish")
    assert lines == ["File /own/main.py", "\\xff"]
    log.write(b"ed")
    log.close()
    log.close()
    assert lines[2:] == ["unfinished"]


def test_a_line_without_end_is_shown_in_pieces():
    lines: list[str] = []
    TerminalLog(lines.append).write(b"x" * 100_000)
    assert lines == ["x" * 100_000]


def debugging(tmp_path) -> Debugging:
    debugger = Debugger(
        options=("{packages}/debugger", "--port={port}"),
        waiting=("--wait",),
        port=1234,
        attach={"port": "{port}", "maps": [{"from": "{folder}", "to": "{source}"}], "again": True},
    )
    return Debugging(
        debugger=debugger,
        port=5,
        packages=Path("/packages"),
        source=Path("/copy"),
        folder=Path("/own"),
    )


def test_a_debugger_stands_behind_the_first_word_of_the_entrypoint(tmp_path):
    command = debugging(tmp_path).entrypoint(["tiny", "/server"], waits=False)
    assert command == ["tiny", "/packages/debugger", "--port=5", "/server"]
    assert debugging(tmp_path).entrypoint(["tiny"], waits=True) == ["tiny", "--wait"]


def test_an_editors_configuration_has_the_port_as_a_number_and_both_folders(tmp_path):
    assert json.loads(debugging(tmp_path).configuration("Attach")) == {
        "name": "Attach",
        "port": 5,
        "maps": [{"from": "/own", "to": "/copy"}],
        "again": True,
    }


def test_a_debuggers_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port} for the debugger") as told:
            replace(debugging(tmp_path), port=port).require_port()
    assert "--debug-port" in told.value.message


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("main.py", True),
        ("deep/er/data.txt", True),
        ("function.yaml", True),
        (".funcignore", True),
        ("dist/main.js", False),
        (".git/index", False),
        ("node_modules/a/index.js", False),
        (".env", False),
        ("certs/server.pem", True),
    ],
)
def test_a_save_matters_if_a_deployment_would_have_the_file(tmp_path, path, matters):
    (tmp_path / ".funcignore").write_text("dist/\n")
    assert FolderFilter(tmp_path, ["certs/*.pem"])(f"{tmp_path}/{path}") == matters


def test_a_changed_funcignore_counts_from_then_on(tmp_path):
    watched = FolderFilter(tmp_path)
    assert watched(f"{tmp_path}/dist/main.js")
    (tmp_path / ".funcignore").write_text("dist/\n")
    assert watched(f"{tmp_path}/.funcignore")
    assert not watched(f"{tmp_path}/dist/main.js")


def test_the_folder_of_a_function_can_be_told_from_its_source(tmp_path):
    places = Places(tmp_path / "home")
    source = tmp_path / "code" / "hello"
    source.mkdir(parents=True)
    (tmp_path / "link").symlink_to(source)
    assert places.of_function(source) == Path(f"{tmp_path}/home/run{source}/.function")
    assert places.of_function(tmp_path / "link") == places.of_function(source)


def test_one_process_at_a_time_has_a_functions_folder(tmp_path):
    folder, source = tmp_path / "own", Path("hello")
    with (
        held_by_one(folder, source),
        pytest.raises(CommandError, match="hello is already running"),
        held_by_one(folder, source),
    ):
        pass
    with held_by_one(folder, source):
        pass


def test_a_debuggers_port_needs_a_debugger(kn_lambda, tmp_path):
    result = kn_lambda("run", str(tmp_path), "--debug-port", "5678")
    assert result.exit_code == 2
    assert "Add --debug" in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--runtime", "cobol"], "'cobol' is no language that runs here"),
        (["-e", "=hunter2"], "--env"),
        (["--allow-origin", "*"], "--allow-origin"),
        (["--handler", "x"], "spec.handler: must be module.function"),
    ],
)
def test_wrong_options_are_named_at_once(kn_lambda, tmp_path, options, told):
    (tmp_path / "main.py").write_text("")
    result = kn_lambda("run", str(tmp_path), "--port", "0", *options)
    assert result.exit_code == 2
    assert told in result.stderr


COMMON, OWN = "http://common/", "http://own/"


def environment(tmp_path, **machine):
    packages = Packages(machine=machine, caches=tmp_path, isolation=None, show=print)
    runtime = find_runtime("python3.11", RUNTIMES)
    return packages._environment(tmp_path, runtime, tmp_path / "message.json")


@pytest.mark.parametrize(
    ("own", "index"),
    [("", COMMON), ('{"nodejs": "http://a/"}', COMMON), (f'{{"python": "{OWN}"}}', OWN)],
)
def test_packages_come_from_the_index_that_a_platform_of_this_machine_would_use(
    tmp_path, own, index
):
    machine = {"KN_LAMBDA_PACKAGE_INDEX_URL": COMMON, "KN_LAMBDA_PACKAGE_INDEXES": own}
    assert environment(tmp_path, **machine)["PACKAGE_INDEX_URL"] == index
    assert "PACKAGE_INDEX_URL" not in environment(tmp_path)


@pytest.mark.parametrize("own", [OWN, "[]", '{"python": 1}'])
def test_indexes_that_a_platform_would_refuse_are_refused(tmp_path, own):
    with pytest.raises(InstallationError, match="KN_LAMBDA_PACKAGE_INDEXES must be JSON such as"):
        environment(tmp_path, KN_LAMBDA_PACKAGE_INDEXES=own)
