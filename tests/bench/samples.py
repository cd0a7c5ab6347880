"""What was measured: a median with its smallest and largest value."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SMALL = 10


class Samples:
    """Values of one measurement, in the order in which they were taken."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.values = list(values)

    def add(self, value: float) -> None:
        """One more."""
        self.values.append(value)

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    def percentile(self, percent: float) -> float:
        """The value that this many per cent do not exceed."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def text(self, unit: str = "") -> str:
        """`median (smallest - largest)`; a single value stands alone."""
        if len(self.values) == 1:
            return number(self.median, unit)
        low, high = number(min(self.values)), number(max(self.values))
        return f"{number(self.median, unit)} ({low} - {high})"


class Table:
    """Samples by name; a name that is new begins empty."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, Samples] = defaultdict(Samples)

    def __getitem__(self, name: str) -> Samples:
        """The samples of that name."""
        return self._rows[name]

    def __contains__(self, name: str) -> bool:
        """Whether anything was measured under that name."""
        return name in self._rows and bool(self._rows[name].values)

    def names(self) -> list[str]:
        """All names, in the order in which they came."""
        return list(self._rows)


def number(value: float, unit: str = "") -> str:
    """Three digits that count, with thousands set apart."""
    if abs(value) >= _SMALL * _SMALL:
        text = f"{value:,.0f}"
    elif abs(value) >= _SMALL:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2f}"
    return f"{text} {unit}" if unit else text


def ratio(value: float, baseline: float) -> str:
    """How many times the baseline, as `0.52x`."""
    return f"{value / baseline:.2f}x" if value < _SMALL * baseline else f"{value / baseline:.0f}x"
