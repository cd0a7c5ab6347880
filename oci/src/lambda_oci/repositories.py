"""Opens the repository at a location; imports only what that location needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_oci.references import LayoutLocation

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_oci.references import Location
    from lambda_oci.repository import Repository


def open_repository(location: Location, docker_config: Path | None) -> Repository:
    """The repository, with the timeouts and retries of a build."""
    if isinstance(location, LayoutLocation):
        from lambda_oci.layout import LayoutRepository  # noqa: PLC0415

        return LayoutRepository(location.folder)
    # Importing the HTTP library takes longer than all else that a folder needs.
    from lambda_oci.http import OF_A_BUILD, connection_pool  # noqa: PLC0415
    from lambda_oci.registry import RegistryRepository  # noqa: PLC0415

    pool = connection_pool(location.origin, OF_A_BUILD)
    return RegistryRepository.connect(location, docker_config, patience=OF_A_BUILD, pool=pool)
