"""The handler of a source in a folder, for which nobody named one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.adapters.source_folder import SourceFolder
from knative_lambda.domain.default_handler import default_handler
from knative_lambda.domain.language import Languages
from lambda_builder.runtime import languages_setting

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_builder.language import Language


def handler_of(source: Path, language: Language) -> str:
    """Return what an image of this source would start with."""
    (known,) = Languages.parse(languages_setting([language])).known
    return default_handler(SourceFolder(source), known) or language.default_handler
