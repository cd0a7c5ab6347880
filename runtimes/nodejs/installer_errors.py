"""What npm says when it fails, sorted by who can do something about it."""

from __future__ import annotations

import os
import re

_MAX_MESSAGE_CHARACTERS = 2000

# By npm's own error codes.
_REASONS = (
    ("NoSpaceLeft", r"ENOSPC"),
    ("RequirementNotFound", r"E404|ETARGET|ENOVERSIONS"),
    ("PackageIndexUnavailable", r"E5\d\d|E40[13]|E429|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN"),
    (
        "PackageIndexUnavailable",
        r"ETIMEDOUT|ERR_SOCKET_TIMEOUT|ERR_SSL\w*|UNABLE_TO\w*|ENETUNREACH",
    ),
    ("PackageIndexUnavailable", r"SELF_SIGNED\w*|CERT_\w+|EHOSTUNREACH|FETCH_ERROR"),
    ("LockOutOfDate", r"EUSAGE"),
    ("RequirementsConflict", r"ERESOLVE|EBADPLATFORM|EBADENGINE"),
    ("RequirementHashMismatch", r"EINTEGRITY"),
    ("InvalidRequirements", r"EJSONPARSE|EINVALID\w+|EUNSUPPORTEDPROTOCOL"),
    ("PackageBuildFailed", r"ELIFECYCLE|\d+"),
)
_TEMPORARY = ("PackageIndexUnavailable", "NoSpaceLeft")


class RecipeError(Exception):
    """Why nothing was installed; `temporary` when the same build may work later."""

    def __init__(self, reason: str, message: str, *, temporary: bool = False) -> None:
        self.reason = reason
        self.message = message
        self.exit_code = os.EX_TEMPFAIL if temporary else 1
        super().__init__(f"{reason}: {message}")


def explain(output: str) -> RecipeError:
    """The error behind the output of a failed npm, in npm's own words."""
    message = without_credentials(_own_words(output))
    found = re.search(r"npm (?:error|ERR!) code (\S+)", output)
    code = found[1] if found else ""
    reason = next((name for name, pattern in _REASONS if re.fullmatch(pattern, code)), None)
    reason = reason or "PackageInstallFailed"
    return RecipeError(reason, message, temporary=reason in _TEMPORARY)


def without_credentials(text: str) -> str:
    """The text with user names and passwords of URLs blanked."""
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", text)


def _own_words(output: str) -> str:
    errors = [line for line in output.splitlines() if re.match(r"npm (?:error|ERR!)", line)]
    # npm's own log and stack say nothing to the author of the function.
    told = [line for line in errors if not re.search(r"complete log of this run|\s+at ", line)]
    message = "\n".join(told) or output.strip()
    return message[:_MAX_MESSAGE_CHARACTERS] or "npm failed without a message"
