"""The Secrets that func insists on, although the functions run without them.

func deploys nothing while a Secret that its func.yaml names is missing. In config/ each is
optional: storage or registry may need no credentials. So an empty one stands in for it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMED = re.compile(r"\bsecret: ?([a-z0-9][-a-z0-9.]*)")
# kubectl leaves out the reason, AlreadyExists, in some versions.
_EXISTS = "already exists"


def secrets_of(func_yaml: str) -> set[str]:
    """Return the names of the Secrets that a func.yaml mounts or reads variables from."""
    return set(_NAMED.findall(func_yaml))


def ensure_secrets(names: Iterable[str], namespace: str) -> list[str]:
    """Create the Secrets that are missing, empty, and return their names; none is overwritten.

    The cluster is that of the current context, which func uses too. `SystemExit` says why if one
    cannot be created.
    """
    if shutil.which("kubectl") is None:
        raise SystemExit("kubectl is not on PATH: it creates the Secrets that func insists on")
    return [name for name in sorted(names) if _create(name, namespace)]


def _create(name: str, namespace: str) -> bool:
    command = ["kubectl", "create", "secret", "generic", name, "--namespace", namespace]
    created = subprocess.run(command, capture_output=True, text=True, check=False)
    if created.returncode == 0:
        return True
    # `create` never changes what is there, so no look beforehand is needed.
    if _EXISTS in created.stderr:
        return False
    raise SystemExit(f"cannot create the Secret {namespace}/{name}: {created.stderr.strip()}")
