"""docs/TESTING_FUNCTIONS.md: all of its tests pass as they are printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.helpers.dev_packages import PLAIN_ENVIRONMENT, give_dev_packages
from tests.helpers.shell_blocks import run_shell
from tests.helpers.testing_guide import GUIDE, files_of_the_guide, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDERS = sorted({path.rpartition("/")[0] for path in files_of_the_guide()} - {"greeter"})


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_tests_of_the_guide_pass(
    folder: str, require_server: Callable[[str, str], str], tmp_path: Path
) -> None:
    if folder.startswith("nodejs"):
        require_server("node", "apt-get install nodejs")
    write_files(tmp_path, folder)
    give_dev_packages(tmp_path / folder)
    test = "node --test" if folder.startswith("nodejs") else ".venv/bin/pytest"
    printed = run_shell(test, tmp_path / folder, PLAIN_ENVIRONMENT)
    assert re.search(r"[1-9] passed|pass [1-9]", printed)


def test_no_code_of_the_guide_is_left_untested() -> None:
    """The commands are run in tests/integration/running and in tests/embedded."""
    blocks = re.findall(r"^```(\w+)$", GUIDE.read_text(), re.MULTILINE)
    assert len(blocks) - blocks.count("sh") == len(files_of_the_guide())
    assert blocks.count("sh") == 4
