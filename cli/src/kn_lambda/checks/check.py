"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from collections.abc import Callable


class Verdict(StrEnum):
    """Whether something is as it should be; a warning keeps some things from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """What was looked at, what was found, and how to mend it."""

    name: str
    verdict: Verdict
    found: str
    hint: str = ""


def run_check(name: str, look: Callable[[], tuple[Verdict, str, str]]) -> Check:
    """Return what `look` found, as verdict, finding and hint; an error of it has failed."""
    try:
        verdict, found, hint = look()
    except (CommandError, KnativeLambdaError, OSError) as error:
        return failed_check(name, error)
    return Check(name=name, verdict=verdict, found=found, hint=hint)


def failed_check(name: str, error: Exception, *, hint: str = "") -> Check:
    """Return a check that failed with an error; the error's own hint goes first."""
    hint = getattr(error, "hint", "") or hint
    return Check(name=name, verdict=Verdict.FAILED, found=str(error), hint=hint)
