"""kn-lambda completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.options import session_command
from kn_lambda.shell_completion import SHELLS, completion_script
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from kn_lambda.session import Session


@session_command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(session: Session, shell: str) -> None:
    """Print the script that makes a shell complete command lines.

    The Tab key then completes commands, options, and the names of functions, namespaces,
    contexts, runtimes, templates and settings. To install it, and begin a new shell:

    \b
    bash (4.4 or newer, with the package bash-completion):
      mkdir -p ~/.local/share/bash-completion/completions
      kn-lambda completion bash \\
        > ~/.local/share/bash-completion/completions/kn-lambda
    zsh:
      mkdir -p ~/.zfunc && kn-lambda completion zsh > ~/.zfunc/_kn-lambda
      In ~/.zshrc: fpath=(~/.zfunc $fpath); autoload -Uz compinit; compinit
    fish:
      mkdir -p ~/.config/fish/completions
      kn-lambda completion fish > ~/.config/fish/completions/kn-lambda.fish

    For the running shell alone: source <(kn-lambda completion bash), the same for zsh, and
    kn-lambda completion fish | source. `kn lambda` itself completes nothing.
    """  # noqa: D301 # \b is for click
    script = completion_script(click.get_current_context().find_root().command, shell)
    if session.output == "json":
        print_document({"shell": shell, "script": script}, "json")
    else:
        echo(script, nl=False)
