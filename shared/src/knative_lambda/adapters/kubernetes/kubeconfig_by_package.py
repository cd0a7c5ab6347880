"""The connection of a kubeconfig, read by the kubernetes package.

Nothing else loads that package. It supports client certificates, exec plugins, auth providers,
lists of files, and whatever its next releases add.
"""

from __future__ import annotations

from typing import Any

from kubernetes.client import Configuration
from kubernetes.config import load_kube_config

from knative_lambda.adapters.kubernetes.connection import Connection
from knative_lambda.domain.errors import PlatformUnavailableError


def connection_by_package(paths: str, context: str | None) -> Connection:
    """Connect as the package would; expired credentials are renewed."""
    configuration = Configuration()
    load_kube_config(config_file=paths, context=context, client_configuration=configuration)

    def authorization() -> str | None:
        try:
            header: str | None = configuration.get_api_key_with_prefix("BearerToken")
        except Exception as error:  # plugins and providers of tokens fail in many ways
            raise PlatformUnavailableError(
                f"the kubeconfig's user gets no credentials ({type(error).__name__})"
            ) from error
        return header

    return Connection(
        server=configuration.host, tls=_tls(configuration), authorization=authorization
    )


def _tls(configuration: Any) -> dict[str, Any]:  # noqa: ANN401  # the package has no types
    tls = {
        "ca_certs": configuration.ssl_ca_cert,
        "cert_file": configuration.cert_file,
        "key_file": configuration.key_file,
        "server_hostname": configuration.tls_server_name,
        # Only where the kubeconfig says insecure-skip-tls-verify.
        "cert_reqs": None if configuration.verify_ssl else "CERT_NONE",
    }
    return {name: value for name, value in tls.items() if value is not None}
