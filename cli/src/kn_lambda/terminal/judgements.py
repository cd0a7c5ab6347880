"""The colours of words that say how something is; the words alone say the same."""

from __future__ import annotations

from kn_lambda.terminal.output import Styled

_GOOD = frozenset({"Ready", "True", "delivered", "ok", "ready", "unchanged", "deleted", "accepted"})
_BAD = frozenset({"Failed", "False", "dead", "failed", "refused", "error"})


def judged(word: str) -> Styled:
    """Return a phase, a status, a verdict or an outcome in green, red, or yellow for all else."""
    first = word.partition(" ")[0].rstrip(":")
    colour = "green" if first in _GOOD else "red" if first in _BAD else "yellow"
    return Styled(word, fg=colour)
