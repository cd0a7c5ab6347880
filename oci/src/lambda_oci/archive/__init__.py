"""Reads untrusted archives: after the first invalid member nothing stays on disk."""

from lambda_oci.archive.limits import Limits
from lambda_oci.archive.reading import read_files
from lambda_oci.archive.unpacking import unpack, unpack_stream

__all__ = ["Limits", "read_files", "unpack", "unpack_stream"]
