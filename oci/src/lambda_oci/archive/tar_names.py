"""What extension headers of a tar archive say about the member that follows them."""

from __future__ import annotations

from lambda_oci.archive.limits import invalid, unsafe


class NextMember:
    """Name, link and size that override the next header's; None where nothing does."""

    def __init__(self) -> None:
        self.name: bytes | None = None
        self.link: bytes | None = None
        self.bytes: int | None = None

    def learn(self, kind: bytes, content: bytes) -> None:
        """Apply a pax (`x`, `X`), global (`g`) or GNU header (`L`: name, `K`: link)."""
        if kind == b"L":
            self.name = content.split(b"\0", 1)[0]
            return
        if kind == b"K":
            self.link = content.split(b"\0", 1)[0]
            return
        for key, value in _records(content):
            if kind == b"g" and key in {b"path", b"size", b"linkpath"}:
                raise unsafe(
                    "a global header of the .tar names every member; make the archive anew"
                )
            if key.startswith(b"GNU.sparse"):
                raise unsafe("the .tar holds a sparse file; make the archive without --sparse")
            if key == b"path":
                self.name = value
            elif key == b"linkpath":
                self.link = value
            elif key == b"size":
                if not value.isdigit() or len(value) > len(str(1 << 63)):
                    raise invalid("the .tar is damaged: a size is not a number")
                self.bytes = int(value)


def _records(content: bytes) -> list[tuple[bytes, bytes]]:
    """`length key=value` records; each length counts its own record."""
    records, position = [], 0
    while position < len(content) and content[position]:
        length, found, _ = content[position : position + 20].partition(b" ")
        if not found or not length.isdigit() or (end := position + int(length)) > len(content):
            raise invalid("the .tar is damaged: an extended header cannot be read")
        record = content[position + len(length) + 1 : end]
        key, found, value = record.partition(b"=")
        if not found or not value.endswith(b"\n"):
            raise invalid("the .tar is damaged: an extended header cannot be read")
        records.append((key, value[:-1]))
        position = end
    return records
