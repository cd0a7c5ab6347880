"""The README's five minutes, as a reader would type them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.embedded.helpers.running_platform import CHECKOUT, machine_environment
from tests.helpers.shell_blocks import run_shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

_BLOCK = re.compile(
    r"<!-- tutorial(?:: (?P<expected>.+?))? -->\n```sh\n(?P<commands>.*?)```", re.DOTALL
)
_ENDED = "=== the block ended with"


def test_the_tutorial_of_the_readme_works_as_printed(
    own_platform: EmbeddedPlatform, tmp_path: Path
):
    blocks = list(_BLOCK.finditer((CHECKOUT / "README.md").read_text()))
    assert len(blocks) >= 6
    folder = tmp_path / "checkout"
    folder.mkdir()
    # What `make run` leaves for the reader in this folder.
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    script = "\n".join(f"{block['commands']}echo '{_ENDED}' $?" for block in blocks)

    # One shell for all, as the reader has.
    environment = {**machine_environment(), "KN_LAMBDA_HOME": str(own_platform.home)}
    outputs = re.split(rf"{_ENDED} \d+\n", run_shell(script, folder, environment))
    for block, output in zip(blocks, outputs[:-1], strict=True):
        assert (block["expected"] or "") in output, (block["commands"], output)
    assert own_platform.record("greeter") is None
