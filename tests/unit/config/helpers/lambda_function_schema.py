"""The schema of the LambdaFunction resource in config/."""

from __future__ import annotations

from tests.helpers.dev_overlay import OBJECTS

(DEFINITION,) = [item for item in OBJECTS if item["kind"] == "CustomResourceDefinition"]


(VERSION,) = DEFINITION["spec"]["versions"]


SCHEMA = VERSION["schema"]["openAPIV3Schema"]["properties"]


def fields(schema, path=()):
    """Every field of a schema, as a path."""
    for name, below in (schema.get("properties") or {}).items():
        yield (*path, name)
        yield from fields(below, (*path, name))
    if "items" in schema:
        yield from fields(schema["items"], (*path, "[]"))
