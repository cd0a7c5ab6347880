"""Names that the Tab key offers."""

from __future__ import annotations

import json

import pytest
from click.shell_completion import BashComplete

from kn_lambda.main import cli
from kn_lambda.shell_completion import SHELLS, completion_script
from knative_lambda.adapters.kubernetes.client import BROKERS, Resource

HOSTILE = [
    "$(touch pwned)", "`reboot`", "a;reboot", "a b", "a\nb", "\x1b]52;c;eA==\x07", "a\x1b[2J",
    "--home=/tmp/evil", "-rf", "*", "~root", "a'b", 'a"b', "a\\b", "a&b", "a|b", "a>b", "a,b",
    "a#b", "{a,b}", "!!", "", "a\u202eb", "x" * 300,
]  # fmt: skip


@pytest.fixture
def complete(fake_platform, tmp_path, monkeypatch):
    """`complete("describe", "he")` is what is offered for the last word."""
    monkeypatch.setenv("KN_LAMBDA_HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def run(*words):
        asked = []

        def connect(options):
            asked.append(options)
            return fake_platform.installation

        shell = BashComplete(cli, {"obj": connect}, "kn-lambda", "_")
        *args, incomplete = words
        run.asked = asked
        return [item.value for item in shell.get_completions(args, incomplete)]

    return run


@pytest.mark.parametrize(
    "command",
    ["describe", "invoke", "logs", "events", "delete", "set", "rebuild", "builds", "cancel"],
)
def test_functions_are_offered_where_one_is_named(complete, fake_platform, command):
    for name in ("hello", "help", "other"):
        fake_platform.put_record(name)
    fake_platform.put_record("hello-theirs", namespace="team-a")
    assert complete(command, "he") == ["hello", "help"]
    assert complete(command, "-n", "team-a", "he") == ["hello-theirs"]
    assert complete("-n", "team-a", command, "he") == ["hello-theirs"]


def test_a_function_is_offered_once_for_delete(complete, fake_platform):
    for name in ("one", "two"):
        fake_platform.put_record(name)
    assert complete("delete", "one", "") == ["two"]


def test_options_of_deploy_offer_functions_and_runtimes(complete, fake_platform):
    fake_platform.put_record("hello")
    assert complete("deploy", "--name", "") == ["hello"]
    assert complete("deploy", "--runtime", "python3.1") == ["python3.11"]


def test_init_offers_languages_templates_and_pipelines(complete):
    assert complete("init", "x", "--runtime", "python3.1")[:2] == ["python3.11", "python3.12"]
    assert complete("init", "x", "--runtime", "n")[0] == "nodejs"
    assert complete("init", "x", "--template", "") == ["cron", "event", "http"]
    assert complete("init", "x", "--runtime", "nodejs", "--template", "h") == ["http"]
    assert complete("init", "x", "--ci", "git") == ["github", "gitlab"]
    assert complete.asked == []


def test_run_offers_the_languages_that_there_are_without_a_platform(complete):
    assert "python" in complete("run", ".", "--runtime", "py")
    assert complete.asked == []


@pytest.mark.parametrize("command", ["set", "deploy"])
def test_unset_offers_the_settings(complete, command):
    assert complete(command, "x", "--unset", "scale-m") == ["scale-max", "scale-min"]


def test_namespaces_are_those_of_tenants(complete, fake_platform):
    fake_platform.api.put(BROKERS, {"metadata": {"namespace": "team-a", "name": "default"}})
    assert complete("list", "-n", "te") == ["team-a"]
    assert complete("--namespace", "te") == ["team-a"]


@pytest.mark.parametrize("command", ["add", "describe", "remove"])
def test_tenants_are_the_namespaces_with_their_label(complete, fake_platform, command):
    namespaces = Resource("api/v1", "namespaces")
    for name, value in (("team-a", "true"), ("team-b", "true"), ("shop", "")):
        labels = {"knative-lambda.dev/tenant": value}
        metadata = {"namespace": "", "name": name, "labels": labels}
        fake_platform.api.put(namespaces, {"metadata": metadata})
    assert complete("tenant", command, "") == ["team-a", "team-b"]
    assert complete("tenant", "re") == ["remove"]


def test_contexts_are_those_of_the_kubeconfig(complete, tmp_path, monkeypatch):
    names = ["prod", "arn:aws:eks:eu-1:1:cluster/prod", "me@staging", *HOSTILE]
    (tmp_path / "config").write_text(json.dumps({"contexts": [{"name": name} for name in names]}))
    offered = ["arn:aws:eks:eu-1:1:cluster/prod", "me@staging", "prod"]
    assert complete("list", "--kubeconfig", f"{tmp_path}/config", "--context", "") == offered
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/config:{tmp_path}/nothing")
    assert complete("list", "--context", "p") == ["prod"]


def test_the_platform_is_the_one_that_the_line_names(complete, tmp_path):
    complete("--home", str(tmp_path / "a"), "describe", "--context", "prod", "")
    (options,) = complete.asked
    assert (options.home, options.context) == (tmp_path / "a", "prod")
    complete("describe", "")
    assert complete.asked[0].home == tmp_path


def test_names_that_a_shell_or_a_terminal_obeys_are_not_offered(complete, fake_platform):
    for name in ("fine", *HOSTILE):
        fake_platform.put_record(name)
    assert complete("describe", "") == ["fine"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_names_the_program_and_its_function(kn_lambda, shell):
    script = kn_lambda("completion", shell).stdout
    assert script == completion_script(cli, shell)
    assert f"_KN_LAMBDA_COMPLETE={shell}_complete" in script
    document = json.loads(kn_lambda("completion", shell, "-o", "json").stdout)
    assert document == {"shell": shell, "script": script}


def test_help_tells_how_to_install_it_for_each_shell(kn_lambda):
    text = kn_lambda("completion", "--help").stdout
    for path in (
        "bash-completion/completions/kn-lambda", ".zfunc/_kn-lambda", "completions/kn-lambda.fish",
    ):  # fmt: skip
        assert path in text


def test_another_shell_is_wrong_usage_that_names_those_that_there_are(kn_lambda):
    result = kn_lambda("completion", "tcsh")
    assert result.exit_code == 2
    assert all(shell in result.stderr for shell in SHELLS)
