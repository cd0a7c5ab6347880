"""Names of files that usually contain credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kn_lambda.languages import languages

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = (
    # For tools of any language; runtime.toml has those of its language's package registries.
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
    # Keys and key stores.
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdb", "*.kdbx", "*.ppk",
    "*.ovpn", "*_rsa", "*_dsa", "*_ecdsa", "*_ecdsa_sk", "*_ed25519", "*_ed25519_sk",
    # Backups of such files.
    ".netrc?*", ".env~", "id_rsa?*", "id_ed25519?*", "*.pem?*", "*.key?*",
    # Shell histories, environments and variables.
    ".*_history", "*.env", ".env.*", ".envrc", "*.tfstate", "*.tfstate.*", "*.tfvars",
    "*.tfvars.json",
    # Meant to be published.
    "!*.pub", "!.env.example", "!.env.sample", "!.env.template", "!.env.dist",
    "!cacert.pem", "!roots.pem",
)  # fmt: skip
_SHOWN = 20


def credential_patterns() -> list[str]:
    """Return patterns as in .gitignore; case does not matter, since some file systems ignore it.

    No build reads the files of package registries from a source, so leaving them out breaks none.
    """
    own = [name for language in languages() for name in language.source.credentials]
    return [
        re.sub("[a-z]", lambda letter: f"[{letter[0]}{letter[0].upper()}]", name)
        for name in (*own, *_NAMES)
    ]


CREDENTIALS_HINT = (
    "The function runs without them. To deploy one, use --include NAME, or add !NAME to"
    " .funcignore. To hide this warning, add NAME to .funcignore."
)


def left_out_text(names: Sequence[str]) -> str:
    """Return one line that names the files that are not deployed; a long list is cut."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    listed = ", ".join(names[:_SHOWN])
    return f"left out, because such files usually contain credentials: {listed}{more}"
