"""Completion in real shells: what the Tab key offers, and what never happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.helpers.kubeconfigs import write_kubeconfig
from tests.helpers.waiting import wait_for

# Each prints what it offers for the last word of "$1".
ASK = {
    "bash": """
        eval "$(kn-lambda completion bash)"
        COMP_WORDS=($1)
        [[ $1 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _kn_lambda_completion kn-lambda
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "fish": "kn-lambda completion fish | source; complete -C $argv[1]",
    # As a person uses it: a terminal, and Tab. The line ends in what Tab made of it.
    "zsh": r"""
        zmodload zsh/zpty
        zpty terminal zsh -f -i
        zpty -w terminal 'PS1= RPS1=; unsetopt prompt_sp zle_bracketed_paste; LISTMAX=1000'
        zpty -w terminal 'autoload -Uz compinit; compinit -u -D; eval "$(kn-lambda completion zsh)"'
        zpty -w terminal 'print be""gin'
        zpty -r terminal said '*begin*'
        zpty -n -w terminal "$1"$'\t'
        # Once Tab is done, this key prints, whatever is on the line.
        zpty -n -w terminal $'\C-aprint -r -- \'\C-e\'; print en""d\n'
        zpty -r terminal said '*end*'
        print -r -- "$said"
        zpty -d terminal
    """,
}
HOW = "apt-get install bash zsh fish"


@pytest.fixture(params=list(ASK))
def shell(request, require_server):
    return request.param, require_server(request.param, HOW)


@pytest.fixture
def ask(shell, tmp_path):
    """`ask("kn-lambda describe he")` is what the shell says after Tab, on stdout and stderr."""
    name, program = shell
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
    }
    plain = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[name]
    separator = [] if name == "fish" else [name]

    def run(line):
        return subprocess.run(
            [program, *plain, "-c", ASK[name], *separator, line],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        ).stdout

    return run


@pytest.fixture
def cluster(tmp_path):
    """`cluster([names])` is a cluster with these functions; with None, it never responds."""
    ended = threading.Event()
    servers = []

    def serve(names):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if names is None:
                    ended.wait()
                    return
                items = [{"metadata": {"namespace": "default", "name": name}} for name in names]
                body = json.dumps({"items": items}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{server.server_port}")

    yield serve
    ended.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def assert_nothing_is_said(text):
    for word in ("Error", "Traceback", "error:", "not running"):
        assert word not in text


def until_offered(ask, line, word):
    """Press Tab as a person does: a machine that is busy may not have found it in a second."""
    return wait_for(lambda: said if word in (said := ask(line)) else "")


def test_commands_and_functions_are_completed(ask, cluster):
    cluster(["hello-world", "other"])
    assert until_offered(ask, "kn-lambda unins", "uninstall")
    said = until_offered(ask, "kn-lambda describe he", "hello-world")
    assert "other" not in said
    assert_nothing_is_said(said)


def test_names_of_a_hostile_cluster_are_neither_run_nor_printed(ask, cluster, tmp_path):
    cluster(
        ["$(touch pwned)", "`touch pwned`", "h;touch pwned", "h\x1b]52;c;eA==\x07",
         "h\ntouch pwned", "h-fine"]
    )  # fmt: skip
    said = until_offered(ask, "kn-lambda describe h", "h-fine")
    assert "pwned" not in said
    assert "]52" not in said
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("state", ["refuses", "never responds"])
def test_a_platform_that_is_down_offers_nothing_and_says_nothing(ask, cluster, tmp_path, state):
    if state == "refuses":
        write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9")
    else:
        cluster(None)
    said = ask("kn-lambda describe he")
    assert_nothing_is_said(said)
    assert "hello" not in said


def test_an_embedded_platform_that_does_not_run_says_nothing(ask, tmp_path):
    home = tmp_path / ".local/share/knative-lambda"
    home.mkdir(parents=True)
    (home / "kubeconfig").write_text("{")
    assert_nothing_is_said(ask("kn-lambda describe he"))
