"""A workspace that is ready to be published, and the registries' installation."""

from __future__ import annotations

from lambda_builder.base_image import build_base_image
from tests.helpers.builder_programs import run
from tests.helpers.workspaces import write_files, write_runtime

HOW = "apt-get install docker-registry skopeo umoci"


class Publishing:
    """A workspace after `build`, and `publish` on it."""

    def __init__(self, folder):
        self.folder = folder
        write_runtime(folder / "runtimes")
        self.base = build_base_image("tiny1.0", folder / "runtimes", f"file://{folder}/base")
        self.write({"source/main.txt": "hello", "packages/p/p.txt": "package"})

    def write(self, files):
        write_files(self.folder / "workspace", files)

    def settings(self, repository_url, **changes):
        return {
            "IMAGE_REPOSITORY_URL": repository_url,
            "IMAGE_TAG": "v1",
            "BASE_IMAGE_URL": self.base,
            "RUNTIME": "tiny1.0",
            "RUNTIMES_DIR": str(self.folder / "runtimes"),
        } | changes

    def run(self, repository_url, **changes):
        return run("publish", self.folder, self.settings(repository_url, **changes))

    def publish(self, repository_url, **changes):
        """The termination message of a publish that has to work."""
        ended = self.run(repository_url, **changes)
        assert ended.exit_code == 0, ended
        assert not (self.folder / "workspace/.scratch").exists()
        return ended.message
