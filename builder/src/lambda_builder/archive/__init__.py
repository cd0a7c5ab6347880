"""Unpacks archives that strangers made: one refusal and nothing of it stays on disk."""

from lambda_builder.archive.limits import Limits
from lambda_builder.archive.unpacking import unpack

__all__ = ["Limits", "unpack"]
