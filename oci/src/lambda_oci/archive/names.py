"""Names of members, which are bytes that a stranger chose."""

from __future__ import annotations

from lambda_oci.archive.limits import unsafe

_SHOWN = 120


def shown(name: str | bytes) -> str:
    """A member's name as a message may show it: printable, quoted and short."""
    text = ascii(name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...'"


def decode_name(raw: bytes) -> str:
    """A member's name, which has to be UTF-8 whatever the archive claims."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise unsafe(f"the name {shown(raw)} is not UTF-8; rename the file") from None
