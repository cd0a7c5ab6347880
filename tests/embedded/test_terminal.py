"""What a function says cannot command the terminal of who looks at it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from tests.embedded.helpers.running_platform import kn_lambda_program
from tests.helpers.pseudo_terminal import OWN_SEQUENCES, pseudo_terminal

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

ATTACK = "\x1b]52;c;cm0gLXJmIH4=\x07\x1b[2J\x1b]0;owned\x07 a\rb \x9b2J \u202eexe"
SHOWN = r"\x1b]52;c;cm0gLXJmIH4=\x07\x1b[2J\x1b]0;owned\x07 a\rb \x9b2J \u202eexe"
TALKING = f"""
def handler(event):
    print({ATTACK!r}, flush=True)
    if event.data == "raise":
        raise ValueError({ATTACK!r})
    return {ATTACK!r}
"""


def on_terminal(platform: EmbeddedPlatform, *arguments: object) -> str:
    """What the terminal of a person was sent, less our own colours and movements."""
    with pseudo_terminal() as terminal:
        subprocess.run(
            [*kn_lambda_program(), *map(str, arguments), "--home", str(platform.home)],
            stdin=subprocess.DEVNULL,
            stdout=terminal.stream,
            stderr=terminal.stream,
            timeout=120,
            check=False,
        )
    sent = OWN_SEQUENCES.sub("", terminal.text)
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", sent) == []
    return sent


def in_a_pipe(platform: EmbeddedPlatform, *arguments: str) -> bytes:
    command = [*kn_lambda_program(), *arguments, "--home", str(platform.home)]
    return subprocess.run(command, capture_output=True, timeout=120, check=True).stdout


def test_a_function_that_talks_to_terminals_is_shown_and_not_obeyed(
    platform: EmbeddedPlatform, write_function, unique_name
):
    assert "ready" in on_terminal(
        platform, "deploy", write_function(TALKING), "--name", unique_name
    )
    assert r"\u001b]52" in on_terminal(platform, "invoke", unique_name)
    on_terminal(platform, "invoke", unique_name, "--data", "raise")
    assert SHOWN in on_terminal(platform, "logs", unique_name)
    assert r"\u001b]52" in on_terminal(platform, "logs", unique_name, "-o", "json")
    assert ATTACK.encode() in in_a_pipe(platform, "logs", unique_name)
    assert unique_name in on_terminal(platform, "events", unique_name)


def test_a_build_that_fails_talking_is_shown_too(
    platform: EmbeddedPlatform, write_function, unique_name
):
    source = write_function("", requirements=f"{ATTACK}==1.0\n")
    assert "Error: " in on_terminal(platform, "deploy", source, "--name", unique_name)
    assert "Failed" in on_terminal(platform, "describe", unique_name)
    for output in ("json", "yaml"):
        assert "Failed" in on_terminal(platform, "describe", unique_name, "-o", output)
    assert on_terminal(platform, "logs", unique_name, "--build")
