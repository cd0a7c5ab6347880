"""Locks of uv, as a project has them."""

from __future__ import annotations


def uv_lock(name: str, *, version: str, source: str, required: str, fields: str = "") -> str:
    """The lock of a project `app` that needs one package.

    `source` is the inline table of where it comes from, `required` what the project says of it.
    """
    return f"""version = 1
revision = 3
requires-python = ">=3.8"

[[package]]
name = "app"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "{name}" }}]

[package.metadata]
requires-dist = [{required}]

[[package]]
name = "{name}"
version = "{version}"
source = {source}
{fields}
"""
