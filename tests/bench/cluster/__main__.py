"""`python -m tests.bench.cluster`: measure a real cluster, write its part of docs/BENCHMARKS.md."""

from __future__ import annotations

import sys

from tests.bench.cluster.results import FULL, QUICK, measure
from tests.bench.cluster.section import section
from tests.bench.command_line import parser_of, results_of, tell
from tests.bench.document import replace_cluster_part


def main() -> None:
    """Print the results, and write them between the marks of the document."""
    parser = parser_of("tests.bench.cluster", quick="few repeats, 1 and 100 lambdas")
    parser.add_argument("--note", default="", help="what else to say of this run")
    options = parser.parse_args()
    results = results_of(options, lambda: measure(QUICK if options.quick else FULL, tell))
    text = section(results, options.note)
    sys.stdout.write(text + "\n")
    options.output.write_text(replace_cluster_part(options.output.read_text(), text))
    tell(f"written: {options.output.name}")


if __name__ == "__main__":
    main()
