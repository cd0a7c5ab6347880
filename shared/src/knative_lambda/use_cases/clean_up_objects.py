"""cleanup: what is old in storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.clean_up_pass import LIST_LIMIT, function_of

if TYPE_CHECKING:
    from datetime import timedelta

    from knative_lambda.use_cases.clean_up_images import CleanUpImages
    from knative_lambda.use_cases.clean_up_pass import CleanUpPass

_LEAD_TO_IMAGES = {"contexts", "deleted", "kept", "sources"}
_NEVER_CURRENT = {"deleted", "dead-letters"}


@dataclass(frozen=True, slots=True)
class CleanUpObjects:
    """Images go before the objects that lead to them."""

    run: CleanUpPass
    images: CleanUpImages

    def objects_of_jobs(self) -> None:
        """Remove what Jobs of unwanted builds got, and what they left."""
        for folder in ("contexts", "packages"):
            self.stored_objects(folder, folder, self.run.use.retention.builds)

    def stored_objects(self, folder: str, counted: str, kept_for: timedelta) -> None:
        """Remove what is old: what unwanted builds were made of, logs, tombstones, dead letters."""
        root = f"{self.run.use.storage_url}{folder}/"
        for stored in self.run.use.storage.list(root, limit=LIST_LIMIT):
            self.run.check_time()
            if not self.run.is_older(stored.modified_at, kept_for):
                continue
            key = stored.uri.removeprefix(root)
            if folder not in _NEVER_CURRENT and self._is_current(key):
                continue
            if folder == "kept" and self._keeps_packages(key):
                continue
            if folder in _LEAD_TO_IMAGES:
                self._look_at_images_behind(key)
            self.run.counts[counted] += 1
            if not self.run.dry_run:
                self.run.use.storage.delete(stored.uri)

    def _look_at_images_behind(self, key: str) -> None:
        """Collect images of a lambda that is gone before the stored object that leads to them."""
        for function, _ in function_of(key):
            if function not in self.run.records:
                self.images.images_of_gone(function)

    def _is_current(self, key: str) -> bool:
        """Whether `<namespace>/<name>/<build id>` is what a lambda runs or is about to run."""
        key = key.removesuffix(".log")
        namespace, _, rest = key.partition("/")
        name, _, build_id = rest.partition("/")
        newest = self.run.records.is_newest_build(FunctionId(namespace, name), build_id)
        return newest or key in self.run.running

    def _keeps_packages(self, key: str) -> bool:
        """Whether `<namespace>/<name>/<packages key>` are those of a record's images."""
        return any(
            self.run.records.has_packages(function, packages)
            for function, packages in function_of(key)
        )
