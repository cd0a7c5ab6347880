"""How a step of the recipe ends; see "Contract of a runtime"."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from installer_errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def report(step: Callable[[Mapping[str, str]], None], environment: Mapping[str, str]) -> int:
    """Exit code of the contract; the reason of a failure is in RESULT_FILE."""
    try:
        step(environment)
    except RecipeError as error:
        # The build step reports it; the installer's own words are in the log already.
        result = {"reason": error.reason, "message": error.message}
        Path(environment["RESULT_FILE"]).write_text(json.dumps(result))
        return error.exit_code
    return 0
