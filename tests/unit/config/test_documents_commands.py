"""Commands and options of kn-lambda that our documents name exist."""

from __future__ import annotations

import re

import click
import pytest

from kn_lambda.main import _COMMANDS, cli
from tests.helpers.dev_overlay import REPOSITORY

# Not those that quote what was: the changelog, decisions and benchmarks.
_DOCUMENTS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in (
        "*.md",
        "*/README.md",
        "docs/*.md",
        "examples/*/*.md",
        "runtimes/*/templates/*/*.md",
    )
    for path in REPOSITORY.glob(pattern)
    if path.name not in {"CHANGELOG.md", "BENCHMARKS.md"}
)
# Options of kubectl, pytest, curl and kube-apiserver that documents name without their program.
_OPTIONS_OF_OTHERS = {
    "--as", "--kube-api-qps", "--previous", "--randomly-seed", "--require-servers",
    "--server-side", "--since", "--timestamps", "-H", "-w",
}  # fmt: skip
_COMMAND = re.compile(r"\bkn-lambda[ \n]([a-z]+)([^`\n|;&#()]*)")
_CODE = re.compile(r"```.*?```|`[^`]+`", re.DOTALL)
_OPTION = re.compile(r"(?<!\S)(--?[A-Za-z][\w-]*)")
_INLINE_OPTION = re.compile(r"`(--?[A-Za-z][\w-]*)[^`\n]*`")


def _options(*names):
    commands = [cli.get_command(None, name) for name in names]
    # Those of a command of commands, such as `tenant add`, count as its own.
    commands += [
        command.get_command(None, name)
        for command in commands
        if isinstance(command, click.Group)
        for name in command.list_commands(None)
    ]
    params = [param for command in (cli, *commands) for param in command.params]
    return {option for param in params for option in (*param.opts, *param.secondary_opts)} | {
        "-h", "--help",
    }  # fmt: skip


def wrong_names(text):
    """Commands that do not exist, and options that their command does not have."""
    for command, arguments in _COMMAND.findall("\n\n".join(_CODE.findall(text))):
        if command not in _COMMANDS:
            yield command
            continue
        yield from (
            f"{command} {option}"
            for option in _OPTION.findall(arguments)
            if option not in _options(command)
        )
    known = _options(*_COMMANDS) | _OPTIONS_OF_OTHERS
    yield from (option for option in _INLINE_OPTION.findall(text) if option not in known)


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_a_document_names_only_commands_and_options_that_exist(name):
    assert list(wrong_names((REPOSITORY / name).read_text())) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`kn-lambda invoke hello --file event.json`", ["invoke --file"]),
        ("```sh\nkn-lambda undeploy hello\n```", ["undeploy"]),
        ("Install kn-lambda from a checkout", []),
        ("see `--evnt FILE`", ["--evnt"]),
        ("`kn-lambda invoke hello --event event.json -o json`; `--file`", []),
    ],
)
def test_a_wrong_name_is_found(text, wrong):
    assert list(wrong_names(text)) == wrong
