"""Builds what the recipe has fetched as source; see "Contract of a runtime"."""

from __future__ import annotations

import sys

from recipe import Recipe, run

if __name__ == "__main__":
    sys.exit(run(Recipe.build_sources))
