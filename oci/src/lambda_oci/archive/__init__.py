"""Unpacks archives that strangers made: one refusal and nothing of it stays on disk."""

from lambda_oci.archive.limits import Limits
from lambda_oci.archive.unpacking import unpack

__all__ = ["Limits", "unpack"]
