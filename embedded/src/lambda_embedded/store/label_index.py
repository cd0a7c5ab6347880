"""Finds objects by their labels without reading the other objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.store.changes import KubernetesObject
    from lambda_embedded.store.database import Database

_TABLE = """
CREATE TABLE IF NOT EXISTS object_labels (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    namespace TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (kind, key, value, namespace, name)
) WITHOUT ROWID;
"""

_MANY = 200


class LabelIndex:
    """The labels of all objects; updated in the transaction that writes the table `objects`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        known = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'object_labels'")
        is_new = known.fetchone() is None
        database.create(_TABLE)
        if is_new:
            with database.transaction():
                for row in database.execute("SELECT kind, body FROM objects").fetchall():
                    self.replace(row["kind"], None, json.loads(row["body"]))

    def replace(
        self, kind: str, old: KubernetesObject | None, new: KubernetesObject | None
    ) -> None:
        """Replace the labels of one object; `old` is None if it is new, `new` if it is gone."""
        before, after = _rows(kind, old), _rows(kind, new)
        for row in before - after:
            self._database.execute(
                "DELETE FROM object_labels"
                " WHERE kind = ? AND key = ? AND value = ? AND namespace = ? AND name = ?",
                row,
            )
        for row in after - before:
            self._database.execute("INSERT INTO object_labels VALUES (?, ?, ?, ?, ?)", row)

    def rarest_first(self, kind: str, labels: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the labels, rarest first: a query starts from the objects with the first one."""

        def carriers(label: tuple[str, str]) -> int:
            row = self._database.execute(
                "SELECT count(*) AS n FROM (SELECT 1 FROM object_labels"
                " WHERE kind = ? AND key = ? AND value = ? LIMIT ?)",
                (kind, *label, _MANY),
            ).fetchone()
            return int(row["n"])

        found = list(labels.items())
        return sorted(found, key=carriers) if len(found) > 1 else found


def _rows(kind: str, item: KubernetesObject | None) -> set[tuple[str, str, str, str, str]]:
    if item is None:
        return set()
    metadata = item["metadata"]
    place = metadata.get("namespace", ""), metadata["name"]
    labels = metadata.get("labels") or {}
    return {(kind, key, str(value), *place) for key, value in labels.items()}
