"""SQL that reads a page of objects along an index, whatever the number of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Query = tuple[str, tuple[object, ...]]

# CROSS JOIN keeps the order of the tables: the index of labels first.
_BY_LABEL = """
SELECT objects.body FROM object_labels AS place CROSS JOIN objects
    ON objects.kind = place.kind AND objects.namespace = place.namespace
    AND objects.name = place.name
WHERE place.kind = ? AND place.key = ? AND place.value = ?
"""
_BY_PLACE = "SELECT place.body FROM objects AS place WHERE place.kind = ?"
_ALSO_LABELLED = """
AND EXISTS (SELECT 1 FROM object_labels AS other WHERE other.kind = place.kind
    AND other.key = ? AND other.value = ?
    AND other.namespace = place.namespace AND other.name = place.name)
"""


def page_query(
    kind: str,
    *,
    namespace: str | None,
    name: str | None,
    labels: Sequence[tuple[str, str]],
    after: tuple[str, str],
    limit: int,
) -> Query:
    """Return the query for the bodies of at most `limit` objects that follow `after`."""
    parts = [_BY_LABEL if labels else _BY_PLACE]
    parameters: list[object] = [kind, *(labels[0] if labels else ())]
    if namespace is None:
        parts.append("AND (place.namespace, place.name) > (?, ?)")
        parameters += after
    else:
        # Equal to one namespace, so that the index gives the order and nothing is sorted.
        parts.append("AND place.namespace = ? AND place.name > ?")
        parameters += [namespace, after[1] if after[0] == namespace else ""]
    if name is not None:
        parts.append("AND place.name = ?")
        parameters.append(name)
    for label in labels[1:]:
        parts.append(_ALSO_LABELLED)
        parameters += label
    parts.append("ORDER BY place.namespace, place.name LIMIT ?")
    parameters.append(limit)
    return " ".join(parts), tuple(parameters)
