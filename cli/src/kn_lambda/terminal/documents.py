"""Documents on stdout, for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kn_lambda.terminal.output import echo, encodable, printable

if TYPE_CHECKING:
    from collections.abc import Iterable


def print_document(document: object, output: str, *, indent: int | None = 2) -> None:
    """Print an object as JSON, or as YAML for the output `yaml`."""
    text = _dump(document, output, indent, ascii_only=False)
    if encodable(printable(text)) != text:
        # The escapes of JSON and YAML keep the meaning of the document.
        text = _dump(document, output, indent, ascii_only=True)
    echo(text)


def print_documents(documents: Iterable[object]) -> None:
    """Print objects as one stream of YAML, as a file of manifests has them."""
    for number, document in enumerate(documents):
        if number:
            echo("---")
        print_document(document, "yaml")


def _dump(document: object, output: str, indent: int | None, *, ascii_only: bool) -> str:
    if output == "yaml":
        import yaml  # noqa: PLC0415 # slow

        text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=not ascii_only)
        return text.removesuffix("\n")
    return json.dumps(document, indent=indent, ensure_ascii=ascii_only)
