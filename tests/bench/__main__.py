"""`python -m tests.bench`: measure side by side, write docs/BENCHMARKS.md."""

from __future__ import annotations

import argparse
import pickle
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.document import write_document
from tests.bench.functions import REPOSITORY
from tests.bench.results import FULL, QUICK, measure

if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Measure and write; what was started is stopped also when a person has seen enough."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true", help="two minutes; medians of few runs")
    parser.add_argument(
        "--output", type=Path, default=REPOSITORY / "docs" / "BENCHMARKS.md", help="file to write"
    )
    parser.add_argument("--keep", type=Path, help="also keep the raw results in this file")
    parser.add_argument("--read", type=Path, help="write from results kept before")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    if options.read:
        results = pickle.loads(options.read.read_bytes())
    else:
        results = measure(QUICK if options.quick else FULL, _tell)
    if options.keep:
        options.keep.write_bytes(pickle.dumps(results))
    write_document(results, options.output)
    _tell(f"written: {options.output.name}")


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # a command line's answer


if __name__ == "__main__":
    main()
