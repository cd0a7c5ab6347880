"""Object storage: the table of URL schemes, and how storage is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .circuit import Circuit, CircuitRules, CircuitState
from .circuit_breaker import CircuitBreakerStorage, is_outage
from .file import FileStorage
from .s3 import S3Connection, S3Storage
from .schemes import SchemeStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from knative_lambda.ports import ObjectStorage

__all__ = ["CircuitRules", "CircuitState", "S3Connection", "open_storage"]


def open_storage(
    *,
    s3: S3Connection | None = None,
    file_roots: Sequence[Path] = (),
    circuit: CircuitRules | None = None,
) -> ObjectStorage:
    """Object storage for every scheme that is set up; nothing is connected or read yet."""
    rules = circuit or CircuitRules()
    openers: dict[str, Callable[[], ObjectStorage]] = {}
    if s3 is not None:
        openers["s3"] = lambda: _guarded(S3Storage(s3), s3.name, rules)
    if file_roots:
        openers["file"] = lambda: _guarded(FileStorage(roots=file_roots), "file", rules)
    return SchemeStorage(openers)


def _guarded(storage: ObjectStorage, name: str, rules: CircuitRules) -> ObjectStorage:
    circuit = Circuit(name, is_failure=is_outage, rules=rules)
    return CircuitBreakerStorage(storage=storage, circuit=circuit)
