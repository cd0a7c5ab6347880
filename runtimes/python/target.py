"""The interpreter and the machine that packages are for: not always those that run this."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from packaging import tags
from packaging.markers import default_environment

if TYPE_CHECKING:
    from packaging.tags import Tag

PLATFORMS = {
    "x86_64": "x86_64-manylinux_2_28",
    "aarch64": "aarch64-manylinux_2_28",
}
_GLIBC = 28
# Of the C library, by the names from before its version was one.
_OLDER_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
# Base images have the newest one, whichever that is.
_NEWEST_PATCH = 99


def is_own(version: str) -> bool:
    """Whether this program's own interpreter has that version."""
    return version == "{}.{}".format(*sys.version_info[:2])


def uv_platform() -> str | None:
    """The platform of base images, as uv calls it; None on a machine that has no such images."""
    return PLATFORMS.get(os.uname().machine) if sys.platform == "linux" else None


def marker_environment(version: str) -> dict[str, str]:
    """What markers are compared with."""
    own = default_environment()
    environment = {name: str(value) for name, value in own.items()}
    if not is_own(version):
        full = f"{version}.{_NEWEST_PATCH}"
        environment |= {
            "python_version": version,
            "python_full_version": full,
            "implementation_version": full,
        }
    return {**environment, "extra": ""}


def wheel_tags(version: str, *, native: bool) -> list[Tag]:
    """Those of wheels that can be installed, the best first; `native` for just this machine."""
    numbers = tuple(map(int, version.split(".")))
    platforms = list(tags.platform_tags()) if native else _image_platforms()
    interpreter = f"cp{''.join(map(str, numbers))}"
    return [
        *tags.cpython_tags(numbers, abis=[interpreter], platforms=platforms),
        *tags.compatible_tags(numbers, interpreter=interpreter, platforms=platforms),
    ]


def _image_platforms() -> list[str]:
    if uv_platform() is None:
        return list(tags.platform_tags())
    machine = os.uname().machine
    platforms = []
    for minor in range(_GLIBC, 4, -1):
        platforms.append(f"manylinux_2_{minor}_{machine}")
        if minor in _OLDER_NAMES:
            platforms.append(f"{_OLDER_NAMES[minor]}_{machine}")
    return [*platforms, f"linux_{machine}"]
