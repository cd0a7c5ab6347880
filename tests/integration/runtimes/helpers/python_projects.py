"""Files of Python sources that ask for packages, as tools write them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.helpers import uv_locks as locks
from tests.helpers.package_indexes import PYTHON_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC = "https://pypi.org/simple"
PUBLIC_FILES = "https://files.pythonhosted.org/packages/ab"
BETA = "beta-1.5-py3-none-any.whl"
COMMIT = "0123456789" * 4


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


BETA_SHA256 = sha256(PYTHON_FILES[BETA])


def requirements(text: str) -> dict[str, str]:
    return {"main.py": "", "requirements.txt": f"{text}\n"}


def project(*dependencies: str, more: str = "") -> dict[str, str]:
    listed = ", ".join(f'"{dependency}"' for dependency in dependencies)
    head = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.8"\n'
    return {"main.py": "", "pyproject.toml": f"{head}dependencies = [{listed}]\n{more}"}


def pylock(*packages: str) -> dict[str, str]:
    """Each package is the fields of its table, beside a name."""
    tables = "".join(f'[[packages]]\nname = "beta"\n{fields}\n' for fields in packages)
    return {"pylock.toml": f'lock-version = "1.0"\ncreated-by = "a tool"\n{tables}'}


def uv_lock(
    source: str, *, fields: str = "", more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The lock of a project that needs beta, which comes from a source."""
    place = source.strip("{ }")
    metadata = '{ name = "beta" }' if "registry" in place else f'{{ name = "beta", {place} }}'
    of_project = f"[tool.uv.sources]\nbeta = {source}\n" if place.startswith("url") else ""
    text = locks.uv_lock("beta", version="1.5", source=source, required=metadata, fields=fields)
    return {**project("beta", more=of_project), "uv.lock": text, **(more or {})}


def wheels(url: str, digest: str = BETA_SHA256) -> str:
    return f'wheels = [{{ url = "{url}", hash = "sha256:{digest}" }}]'
