"""How much is kept of a log where."""

from __future__ import annotations

import re

from tests.helpers.dev_overlay import REPOSITORY


def log_sizes():
    """How much is kept of a log where, in KiB."""
    use_cases = REPOSITORY / "shared/src/knative_lambda/use_cases"
    text = "\n".join(path.read_text() for path in use_cases.glob("*.py"))
    found = re.findall(r"^(_LOG_BYTES\w*) = (\d+) \* 1024$", text, re.MULTILINE)
    return {name: int(size) for name, size in found}
