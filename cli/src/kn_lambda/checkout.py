"""The checkout of Knative Lambda that this command line belongs to."""

from __future__ import annotations

from pathlib import Path

from kn_lambda.errors import CommandError

CHECKOUT = Path(__file__).resolve().parents[3]


def checkout_folder(*parts: str) -> Path:
    """Return a folder of the checkout; `CommandError` if kn-lambda is installed without one."""
    folder = CHECKOUT.joinpath(*parts)
    if not folder.is_dir():
        raise CommandError(
            f"{folder} does not exist",
            hint="Install kn-lambda from a checkout: pip install -e cli",
        )
    return folder
