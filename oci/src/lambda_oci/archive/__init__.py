"""Unpacks untrusted archives: after the first invalid member nothing stays on disk."""

from lambda_oci.archive.limits import Limits
from lambda_oci.archive.unpacking import unpack

__all__ = ["Limits", "unpack"]
