"""What npm says when it fails, sorted by who can do something about it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_MESSAGE_CHARACTERS = 2000
_SHOWN_DIFFERENCES = 5
_SHOWN_CHARACTERS = 200
_PREFIX = re.compile(r"npm (?:error|ERR!) ?")
# npm's own log and stack say nothing to the author of the function, and what npm recommends for a
# package that is not there, to name an address, the platform refuses.
_SAYS_NOTHING = re.compile(
    r"complete log of this run|^\s+at |^404$"
    r"|^404 Note that you can also install from a$|^404 tarball, folder, http url, or git url\.$"
)
# What npm calls wrong use is, but for locks out of date, files that it cannot work with.
_USAGE = "EUSAGE"

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
    ("RequirementsConflict", r"ERESOLVE|EBADPLATFORM|EBADENGINE"),
    ("RequirementHashMismatch", r"EINTEGRITY"),
    ("InvalidRequirements", r"EJSONPARSE|EINVALID\w+|EUNSUPPORTEDPROTOCOL|EUSAGE"),
    ("PackageBuildFailed", r"ELIFECYCLE|\d+"),
)
_TEMPORARY = ("PackageIndexUnavailable", "NoSpaceLeft")


class RecipeError(Exception):
    """Why nothing was installed; `temporary` when the same build may work later."""

    def __init__(self, reason: str, message: str, *, temporary: bool = False) -> None:
        self.reason = reason
        self.message = message[:_MAX_MESSAGE_CHARACTERS]
        self.exit_code = os.EX_TEMPFAIL if temporary else 1
        super().__init__(f"{reason}: {self.message}")


def explain(output: str) -> RecipeError:
    """The error behind the output of a failed npm, in npm's own words."""
    words = _own_words(without_credentials(output))
    code = next((word[len("code ") :] for word in words if word.startswith("code ")), "")
    if code == _USAGE:
        if differences := list(_differences(words)):
            return _out_of_date(differences)
        words = _without_usage(words)
    message = "\n".join(words) or "npm failed without a message"
    reason = next((name for name, pattern in _REASONS if re.fullmatch(pattern, code)), None)
    if not code and message.startswith("Invalid "):
        reason = "InvalidRequirements"
    reason = reason or "PackageInstallFailed"
    return RecipeError(reason, message, temporary=reason in _TEMPORARY)


def without_credentials(text: str) -> str:
    """The text with user names and passwords of URLs blanked."""
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", text)


def cut(text: str) -> str:
    """The text, or its beginning where it is long."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _own_words(output: str) -> list[str]:
    lines = output.splitlines()
    errors = [line[found.end() :] for line in lines if (found := _PREFIX.match(line))]
    told = [line for line in errors if not _SAYS_NOTHING.search(line)]
    return [line for line in told or lines if line.strip()]


def _differences(words: list[str]) -> Iterator[str]:
    """In what package.json and its lock differ."""
    for word in words:
        kind, _, difference = word.partition(": ")
        if kind == "Missing":
            yield cut(difference.removesuffix(" from lock file")) + " is missing"
        elif kind == "Invalid":
            yield cut(difference)


def _out_of_date(differences: list[str]) -> RecipeError:
    shown = "; ".join(differences[:_SHOWN_DIFFERENCES])
    hidden = len(differences) - _SHOWN_DIFFERENCES
    more = f"; and {hidden} more" if hidden > 0 else ""
    message = (
        f"the lock is older than package.json: {shown}{more}."
        " Run npm install --package-lock-only, and deploy again"
    )
    return RecipeError("LockOutOfDate", message)


def _without_usage(words: list[str]) -> list[str]:
    # It begins with what npm says of the command `ci`; its options follow.
    end = words.index("Clean install a project") if "Clean install a project" in words else None
    return [word for word in words[:end] if word != f"code {_USAGE}"]
