"""Images of a tiny language, published as the control plane does, and how to get registries."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from knative_lambda.adapters.image_publisher import OciImagePublisher
from knative_lambda.domain.image import ImageOrder
from knative_lambda.domain.language import Language
from lambda_builder.base_image import build_base_image
from tests.helpers.archives import gzipped, tar_bytes, tar_member
from tests.helpers.package_archives import packages_archive
from tests.helpers.workspaces import write_runtime

if TYPE_CHECKING:
    from pathlib import Path

HOW = "apt-get install docker-registry skopeo umoci"
TINY = Language(
    name="tiny",
    suffixes=(".txt",),
    packages="packages",
    default_handler="main.handler",
    manifest="package.json",
)
LIMITS = {"source_max_bytes": 1_000_000, "source_max_files": 100, "packages_max_bytes": 1_000_000}
PACKAGES_TAG = "packages-1"


class Publishing:
    """A source, packages and a base image, and a publisher for them."""

    def __init__(self, folder: Path, docker_config: str | None = None) -> None:
        write_runtime(folder / "runtimes")
        self.base = build_base_image("tiny1.0", folder / "runtimes", f"file://{folder}/base")
        self.files = {"main.txt": "hello"}
        self.packages = {"p/p.txt": "package"}
        self.publisher = OciImagePublisher(**LIMITS, docker_config=docker_config)

    def keep(self, repository_url: str, tag: str = PACKAGES_TAG) -> None:
        """Keep the packages in the repository."""
        archive = io.BytesIO(packages_archive(self.packages, lock="p==1\n"))
        self.publisher.keep_packages(
            repository_url, tag, language=TINY, runtime="tiny1.0", archive=archive
        )

    def publish(
        self, repository_url: str, tag: str = "v1", *, packages_tag: str | None = None
    ) -> str:
        """Publish an image of the source; its digest."""
        order = ImageOrder(
            repository_url=repository_url,
            tag=tag,
            packages_tag=packages_tag,
            base_image_url=self.base,
            runtime="tiny1.0",
            language=TINY,
        )
        members = (tar_member(name, content.encode()) for name, content in self.files.items())
        return self.publisher.publish(order, io.BytesIO(gzipped(tar_bytes(*members))))
