"""uv trusts what this machine trusts, such as the authority of a company's proxy."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OLDER = "UV_NATIVE_TLS"
_VARIABLE = "UV_SYSTEM_CERTS"
# Of Debian, Fedora, openSUSE and Alpine. Where there is none, uv must not look for it: it would
# not even start.
_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def with_system_certificates(
    environment: Mapping[str, str], stores: Iterable[str] = _STORES
) -> dict[str, str]:
    """The environment for uv; what a person has decided on certificates stays as it is.

    SSL_CERT_FILE and SSL_CERT_DIR need no care here: for uv they replace the system's store.
    """
    is_decided = {_VARIABLE, _OLDER} & set(environment) or _decided_in(_settings_file(environment))
    if is_decided or not any(Path(store).is_file() for store in stores):
        return dict(environment)
    return {**environment, _VARIABLE: "true"}


def _settings_file(environment: Mapping[str, str]) -> Path:
    default = Path(environment.get("HOME", "/nonexistent"), ".config", "uv", "uv.toml")
    return Path(environment.get("UV_CONFIG_FILE") or default)


def _decided_in(settings: Path) -> bool:
    try:
        known = tomllib.loads(settings.read_text())
    except (OSError, ValueError):
        # uv itself says what is wrong with it.
        return False
    return bool({"system-certs", "native-tls"} & set(known))
