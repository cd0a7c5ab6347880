"""What the command lines of all benchmarks have in common."""

from __future__ import annotations

import argparse
import pickle
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tests.bench.functions import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_Results = TypeVar("_Results")


def parser_of(module: str, *, quick: str) -> argparse.ArgumentParser:
    """Options of every benchmark; `quick` says what is left out."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument(
        "--output", type=Path, default=REPOSITORY / "docs" / "BENCHMARKS.md", help="file to write"
    )
    parser.add_argument("--keep", type=Path, help="also keep the raw results in this file")
    parser.add_argument("--read", type=Path, help="write from results kept before")
    return parser


def results_of(options: argparse.Namespace, measure: Callable[[], _Results]) -> _Results:
    """Measure, or read what was kept; whatever was started is stopped on SIGTERM too."""
    signal.signal(signal.SIGTERM, _interrupt)
    results: _Results = pickle.loads(options.read.read_bytes()) if options.read else measure()
    if options.keep:
        options.keep.write_bytes(pickle.dumps(results))
    return results


def tell(line: str) -> None:
    """Progress, beside the results."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # a command line's answer


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
