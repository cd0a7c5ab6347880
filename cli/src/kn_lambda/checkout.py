"""The checkout of Knative Lambda that this command line belongs to."""

from __future__ import annotations

from pathlib import Path

from kn_lambda.errors import CommandError

CHECKOUT = Path(__file__).resolve().parents[3]


def checkout_folder(*parts: str) -> Path:
    """Return a folder of the checkout; `CommandError` where this is installed without one."""
    folder = CHECKOUT.joinpath(*parts)
    if not folder.is_dir():
        raise CommandError(
            f"{folder} is not there",
            hint="Install kn-lambda from a checkout: pip install -e cli",
        )
    return folder
