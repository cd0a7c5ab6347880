"""Reads the request of a source, from whichever file it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project_files import read_toml
from requirement_files import dependencies_of, find_requirements
from requirement_lines import read_lines

if TYPE_CHECKING:
    from pathlib import Path

    from addresses import Policy
    from requested_packages import Request
    from uv_program import Uv


def read_request(
    source: Path, version: str, policy: Policy, *, uv: Uv, folder: Path
) -> Request | None:
    """What the source asks for, checked; None if it has no file that asks for anything.

    `folder` is empty and may be used. Nothing is fetched, and nothing of the source is run.
    """
    file = find_requirements(source, version)
    if file is None:
        return None
    # Only a source that asks for something waits for these.
    from locked_packages import request_of_lock  # noqa: PLC0415
    from project_sources import request_of_project  # noqa: PLC0415
    from requirement_requests import request_of_lines  # noqa: PLC0415
    from target import marker_environment, wheel_tags  # noqa: PLC0415

    environment = marker_environment(version)
    if file.name == "requirements.txt":
        return request_of_lines(read_lines(file, source), policy, environment)
    if file.name == "pyproject.toml":
        document = read_toml(file)
        return request_of_project(dependencies_of(file), document, policy, environment)
    if file.name == "uv.lock":
        from lock_export import export_lock  # noqa: PLC0415

        document = export_lock(file, folder, uv.run)
    else:
        document = read_toml(file)
    tags = wheel_tags(version, native=policy.allow_source_packages)
    return request_of_lock(document, file.name, policy, environment, tags)
