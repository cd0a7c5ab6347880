"""The environment that containers inherit from this machine: programs and package indexes."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PASSED = re.compile(
    r"LANG|LC_ALL|TZ|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS"
    r"|(HTTP|HTTPS|ALL|NO)_PROXY|(PIP|UV|NPM_CONFIG)_.*",
    re.IGNORECASE,
)
# A container has its own HOME, but uses the installers' settings of the person.
_SETTINGS_FILES = {
    "npm_config_userconfig": ".npmrc",
    "PIP_CONFIG_FILE": ".config/pip/pip.conf",
    "UV_CONFIG_FILE": ".config/uv/uv.toml",
}
# Not the person's own caches, since a build could write to them.
CACHES = {"UV_CACHE_DIR": "uv", "PIP_CACHE_DIR": "pip", "npm_config_cache": "npm"}


def machine_environment(machine: Mapping[str, str], cache: Path) -> dict[str, str]:
    """Return the part of `machine` that containers inherit; their caches are below `cache`."""
    passed = {name: value for name, value in machine.items() if _PASSED.fullmatch(name)}
    known = {name.lower() for name in passed}
    home = Path(machine.get("HOME", "/nonexistent"))
    settings = {
        name: str(home / file)
        for name, file in _SETTINGS_FILES.items()
        if name.lower() not in known and (home / file).is_file()
    }
    caches = {name: str(cache / folder) for name, folder in CACHES.items()}
    programs = [str(Path(sys.executable).parent), machine.get("PATH", os.defpath)]
    return {"LANG": "C.UTF-8", **settings, **passed, **caches, "PATH": os.pathsep.join(programs)}
