"""What uv says when it fails, sorted by who can do something about it."""

from __future__ import annotations

import os
import re

_MAX_MESSAGE_CHARACTERS = 2000
# Leaves room for the way out that follows.
_MAX_QUOTED_CHARACTERS = 1700

# The first that matches decides: a missing package is also an unsolvable set of requirements.
_REASONS = (
    (
        "PackageSourceRefused",
        r"URL dependencies must be expressed|was included as a URL dependency",
    ),
    ("SourcePackageRefused", r"building (?:from source|source distributions?|it) is disabled"),
    ("SourcePackageRefused", r"has no (?:usable )?wheels|no (?:compatible )?wheels? .*available"),
    ("NoSpaceLeft", r"No space left on device|os error 28"),
    ("PackageIndexUnavailable", r"error sending request|[Cc]onnection (?:refused|reset)|dns error"),
    ("PackageIndexUnavailable", r"Network connectivity is disabled|tcp connect error|timed out"),
    ("PackageIndexUnavailable", r"HTTP status server error|Too Many Requests|invalid peer cert"),
    ("PackageIndexUnavailable", r"(?:401 Unauthorized|403 Forbidden)"),
    (
        "RequirementNotFound",
        r"was not found in the (?:package registry|provided package locations)",
    ),
    (
        "RequirementNotFound",
        r"there (?:is|are) no versions? (?:of|matching)|HTTP status client error",
    ),
    ("RequirementNotFound", r"[Nn]o version of|Distribution not found"),
    ("RequirementsConflict", r"No solution found"),
    (
        "RequirementHashMismatch",
        r"Hash mismatch|[Hh]ash(?:es)? (?:were|was)? ?(?:not )?(?:provided|missing)",
    ),
    ("PackageBuildFailed", r"Failed to build|build backend"),
    ("InvalidRequirements", r"[Cc]ouldn't parse|Invalid|TOML parse error|Expected|Unexpected"),
)
_TEMPORARY = ("PackageIndexUnavailable", "NoSpaceLeft")
_WAY_OUT = {
    "SourcePackageRefused": "Only built packages (wheels) are installed, because building one runs"
    " foreign code. Ask for a version that has a wheel, or have the platform's operator allow"
    " source packages.",
}


class RecipeError(Exception):
    """Why nothing was installed; `temporary` when the same build may work later."""

    def __init__(self, reason: str, message: str, *, temporary: bool = False) -> None:
        self.reason = reason
        self.message = message[:_MAX_MESSAGE_CHARACTERS]
        self.exit_code = os.EX_TEMPFAIL if temporary else 1
        super().__init__(f"{reason}: {self.message}")


def explain(output: str) -> RecipeError:
    """The error behind the output of a failed uv, in uv's own words."""
    message = _own_words(without_credentials(output))
    one_line = " ".join(message.replace("│", " ").split())
    reason = next((name for name, pattern in _REASONS if re.search(pattern, one_line)), None)
    reason = reason or "PackageInstallFailed"
    if reason in _WAY_OUT:
        message = f"{message}\n{_WAY_OUT[reason]}"
    return RecipeError(reason, message, temporary=reason in _TEMPORARY)


def without_credentials(text: str) -> str:
    """The text with user names and passwords of URLs blanked."""
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", text)


def _own_words(output: str) -> str:
    lines = output.splitlines()
    starts = [i for i, line in enumerate(lines) if re.match(r"\s*(?:error:|\u00d7)", line)]
    message = "\n".join(lines[starts[0] :] if starts else lines).strip()
    return message.removeprefix("error: ")[:_MAX_QUOTED_CHARACTERS] or "uv failed without a message"
