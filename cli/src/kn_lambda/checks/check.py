"""One check of `kn-lambda doctor`, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from collections.abc import Callable


class Verdict(StrEnum):
    """The result of a check; after a warning, some features do not work."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """What was checked, what was found, and how to fix it."""

    name: str
    verdict: Verdict
    found: str
    hint: str = ""


def run_check(name: str, look: Callable[[], tuple[Verdict, str, str]]) -> Check:
    """Return the verdict, finding and hint of `look`; the check fails if it raises."""
    try:
        verdict, found, hint = look()
    except (CommandError, KnativeLambdaError, OSError) as error:
        return failed_check(name, error)
    return Check(name=name, verdict=verdict, found=found, hint=hint)


def failed_check(name: str, error: Exception, *, hint: str = "") -> Check:
    """Return a check that failed with an error; the error's own hint takes precedence."""
    hint = getattr(error, "hint", "") or hint
    return Check(name=name, verdict=Verdict.FAILED, found=str(error), hint=hint)
