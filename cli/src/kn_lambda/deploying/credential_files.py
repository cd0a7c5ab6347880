"""Files that hold credentials more often than not, told by their names alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = (
    # Of package registries. No build reads those of a source (runtimes/*/recipe.py), so it
    # misses none of them, whatever they hold.
    ".npmrc", ".yarnrc", ".yarnrc.yml", ".pypirc", "pip.conf", "pip.ini",
    # Logins of other tools.
    ".netrc", "_netrc", ".git-credentials", "**/.git/config", ".dockercfg",
    "**/.docker/config.json", ".htpasswd", ".pgpass", "pgpass.conf", ".my.cnf", ".mylogin.cnf",
    ".s3cfg", ".boto", "rclone.conf", ".vault-token", ".terraformrc", "terraform.rc",
    "kubeconfig", "*.kubeconfig", "kubeconfig.yaml", ".dockerconfigjson", ".curlrc",
    "**/.cargo/credentials*", "**/.gem/credentials", "**/.m2/settings.xml",
    "**/.composer/auth.json", "**/.terraform.d/*", "**/.config/gh/hosts.yml",
    "**/.aws/**", "**/.azure/**", "**/.config/gcloud/**", "**/.gnupg/**", "**/.kube/**",
    "**/.ssh/**",
    "application_default_credentials.json", "credentials.json", "client_secret*.json",
    "service-account*.json", "service_account*.json", "serviceaccount*.json",
    "secrets.json", "secrets.toml", "secrets.yaml", "secrets.yml",
    # Keys, and what keeps them.
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdb", "*.kdbx", "*.ppk",
    "*.ovpn", "*_rsa", "*_dsa", "*_ecdsa", "*_ecdsa_sk", "*_ed25519", "*_ed25519_sk",
    # What editors and people keep beside them.
    ".npmrc?*", ".netrc?*", ".env~", "id_rsa?*", "id_ed25519?*", "*.pem?*", "*.key?*",
    # What was typed, and what programs were told.
    ".*_history", ".env", ".env.*", ".envrc", "*.tfstate", "*.tfstate.*", "*.tfvars",
    "*.tfvars.json",
    # Made to be published.
    "!*.pub", "!.env.example", "!.env.sample", "!.env.template", "!.env.dist",
    "!cacert.pem", "!roots.pem",
)  # fmt: skip
_SHOWN = 20

# Some file systems make no difference between the cases, so neither does this.
CREDENTIAL_FILES = tuple(
    re.sub("[a-z]", lambda letter: f"[{letter[0]}{letter[0].upper()}]", name) for name in _NAMES
)
"""Patterns as in .gitignore."""

CREDENTIALS_HINT = (
    "The function has to do without them. --include NAME, or !NAME in .funcignore, deploys one all"
    " the same; NAME in .funcignore ends this warning."
)


def left_out_text(names: Sequence[str]) -> str:
    """Say in one line, however many they are, which files stay here and why."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    listed = ", ".join(names[:_SHOWN])
    return f"left out, because files with such names usually hold credentials: {listed}{more}"
