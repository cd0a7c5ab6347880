"""`python -m tests.bench`: measure side by side, write docs/BENCHMARKS.md."""

from __future__ import annotations

from tests.bench.command_line import parser_of, results_of, tell
from tests.bench.document import write_document
from tests.bench.results import FULL, QUICK, measure


def main() -> None:
    """Measure and write."""
    options = parser_of("tests.bench", quick="eight minutes; medians of few runs").parse_args()
    results = results_of(options, lambda: measure(QUICK if options.quick else FULL, tell))
    write_document(results, options.output)
    tell(f"written: {options.output.name}")


if __name__ == "__main__":
    main()
