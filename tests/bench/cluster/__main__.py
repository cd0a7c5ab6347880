"""`python -m tests.bench.cluster`: measure a real cluster, write its part of docs/BENCHMARKS.md."""

from __future__ import annotations

import argparse
import pickle
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.cluster.results import FULL, QUICK, measure
from tests.bench.cluster.section import section
from tests.bench.document import replace_cluster_part
from tests.bench.functions import REPOSITORY

if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Print the results, and write them between the marks of the document."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cluster")
    parser.add_argument("--quick", action="store_true", help="few repeats, 1 and 100 lambdas")
    parser.add_argument(
        "--output", type=Path, default=REPOSITORY / "docs" / "BENCHMARKS.md", help="file to write"
    )
    parser.add_argument("--keep", type=Path, help="also keep the raw results in this file")
    parser.add_argument("--read", type=Path, help="write from results kept before")
    parser.add_argument("--note", default="", help="what else to say of this run")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    if options.read:
        results = pickle.loads(options.read.read_bytes())
    else:
        results = measure(QUICK if options.quick else FULL, _tell)
    if options.keep:
        options.keep.write_bytes(pickle.dumps(results))
    text = section(results, options.note)
    sys.stdout.write(text + "\n")
    options.output.write_text(replace_cluster_part(options.output.read_text(), text))
    _tell(f"written: {options.output.name}")


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # a command line's answer


if __name__ == "__main__":
    main()
