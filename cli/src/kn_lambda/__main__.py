"""`python -m kn_lambda` is kn-lambda."""

from __future__ import annotations

from kn_lambda.main import main

main()
