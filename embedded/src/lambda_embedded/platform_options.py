"""What a person chooses about the embedded platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_embedded.access.patience import HEAD_SECONDS
from lambda_embedded.broker.settings import BrokerSettings
from lambda_embedded.jobs.settings import JobSettings
from lambda_embedded.serving.settings import ServingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_CHECKOUT = Path(__file__).resolve().parents[3]
_PARTS = ("functions", "runtimes", "config")


class InstallationError(Exception):
    """Files that the platform runs are not where they should be."""


def _say_nothing(_line: str) -> None:
    return


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformOptions:
    """Where the platform keeps things, listens, and takes what it runs from."""

    home: Path
    environment: Mapping[str, str]
    """This machine's: PATH, package index, proxies, certificates, and settings `KN_LAMBDA_...`."""
    port: int = 8080
    broker_port: int = 8081
    api_port: int = 8082
    """Port 0 is any free one, the same one again at the next start if it is free then."""
    installation: Path = _CHECKOUT
    """The folder of `functions/`, `runtimes/` and `config/`."""
    config: Path | None = None
    """A kustomization folder; `config/overlays/dev` of the installation where there is none."""
    allowed_hosts: Sequence[str] = ()
    """Names beside this machine's own by which the ports may be asked for."""
    allowed_origins: Sequence[str] = ()
    """Origins of web pages beside the platform's own that may use the ports."""
    new_token: bool = False
    """Whether the token that this data folder had so far ends with this start."""
    head_seconds: float = HEAD_SECONDS
    """How long a connection to one of the ports may take over the head of a request."""
    every_runtime: bool = False
    """Also other versions of Python that are on PATH."""
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

    def check(self) -> None:
        """`InstallationError` when there is nothing to run."""
        missing = [part for part in _PARTS if not (self.installation / part).is_dir()]
        if missing:
            raise InstallationError(
                f"{self.installation} has no {', '.join(missing)}: "
                "name a checkout of Knative Lambda with --installation"
            )
