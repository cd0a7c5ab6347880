"""The options of the embedded platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_embedded.access.patience import HEAD_SECONDS
from lambda_embedded.broker.settings import BrokerSettings
from lambda_embedded.installation import INSTALLATION
from lambda_embedded.jobs.settings import JobSettings
from lambda_embedded.serving.settings import ServingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_PARTS = ("functions", "runtimes", "config")


class InstallationError(Exception):
    """The files that the platform runs are missing."""


def _say_nothing(_line: str) -> None:
    return


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformOptions:
    """Where the platform keeps its state, listens, and finds what it runs."""

    home: Path
    environment: Mapping[str, str]
    """Variables of this machine: PATH, package index, proxies, certificates, `KN_LAMBDA_...`."""
    port: int = 8080
    broker_port: int = 8081
    api_port: int = 8082
    """Port 0 means any free port, and the same one at the next start if it is still free."""
    installation: Path = INSTALLATION
    """The folder of `functions/`, `runtimes/` and `config/`."""
    config: Path | None = None
    """A kustomization folder; by default `config/overlays/dev` of the installation."""
    allowed_hosts: Sequence[str] = ()
    """Additional host names by which the ports may be called."""
    allowed_origins: Sequence[str] = ()
    """Additional origins of web pages that may use the ports."""
    new_token: bool = False
    """Whether to replace the token of the data folder."""
    head_seconds: float = HEAD_SECONDS
    """How long a client may take to send the head of a request."""
    every_runtime: bool = False
    """Whether to prepare every version on PATH, also of the platform's own language."""
    sandbox: bool = True
    """Whether builds and lambdas run under bubblewrap, where it works."""
    progress: Callable[[str], None] = _say_nothing
    jobs: JobSettings = field(default_factory=JobSettings)
    serving: ServingSettings = field(default_factory=ServingSettings)
    broker: BrokerSettings = field(default_factory=BrokerSettings)

    @property
    def config_folder(self) -> Path:
        """The kustomization to run."""
        return self.config or self.installation / "config" / "overlays" / "dev"

    @property
    def runtimes_folder(self) -> Path:
        """The languages that are offered where this machine has an interpreter."""
        return self.installation / "runtimes"

    def check(self) -> None:
        """Raise `InstallationError` if the installation is incomplete."""
        missing = [part for part in _PARTS if not (self.installation / part).is_dir()]
        if missing:
            raise InstallationError(
                f"{self.installation} has no {', '.join(missing)}: "
                "name a checkout of Knative Lambda with --installation"
            )
