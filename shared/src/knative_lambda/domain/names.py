"""Names that Kubernetes accepts, and derived names that differ for different identities."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

# A label of RFC 1123 that starts with a letter: Knative Services become DNS-1035 Services.
NAME_PATTERN = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
NAME_MAX_LENGTH = 63
# Knative adds "-00001-private" and the like to a Service's name, within 63 characters.
FUNCTION_NAME_MAX_LENGTH = 45

# 64 bits: nobody finds two identities that share a name, even on purpose.
_HASH_LENGTH = 16


@dataclass(frozen=True, slots=True, order=True)
class FunctionId:
    """Which lambda: its namespace (the tenant) and its name."""

    namespace: str
    name: str

    @classmethod
    def parse(cls, subject: str) -> FunctionId:
        """Read `<namespace>/<name>`; `ValueError` says what is wrong with it."""
        namespace, separator, name = subject.partition("/")
        if not separator:
            raise ValueError("must be <namespace>/<name>")
        for part, text, pattern, longest in (
            ("namespace", namespace, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", NAME_MAX_LENGTH),
            ("name", name, NAME_PATTERN, FUNCTION_NAME_MAX_LENGTH),
        ):
            if len(text) > longest or not re.fullmatch(pattern, text):
                raise ValueError(
                    f"{part} must be lower-case letters, digits and '-', start with a letter, "
                    f"end with a letter or digit, and have 1 to {longest} characters"
                )
        return cls(namespace, name)

    @property
    def is_valid(self) -> bool:
        """Whether a lambda can have this identity; a record made by hand may have another."""
        try:
            return self.parse(str(self)) == self
        except ValueError:
            return False

    def __str__(self) -> str:
        """Return `<namespace>/<name>`, the subject of every event about this lambda."""
        return f"{self.namespace}/{self.name}"


def readable_part(name: str) -> str:
    """Return the readable part of a derived name, which is cut where it was too long."""
    return name[: -_HASH_LENGTH - 1]


def derived_name(readable: str, *identity: str, max_length: int = NAME_MAX_LENGTH) -> str:
    """Shorten `readable` and end it in a hash of the full identity: same identity, same name."""
    digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:_HASH_LENGTH]
    return f"{readable[: max_length - _HASH_LENGTH - 1].rstrip('-')}-{digest}"
