"""cleanup: images and kept packages that nobody runs and nobody is about to run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from knative_lambda.domain import build
from knative_lambda.domain.errors import ConflictError, PermanentError
from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.clean_up_pass import beginning_at
from knative_lambda.use_cases.records import update_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.domain.lambda_function import LambdaFunction, LambdaFunctionStatus
    from knative_lambda.use_cases.clean_up_pass import CleanUpPass
    from knative_lambda.use_cases.seen_records import SeenRecord

# By this share of a list its beginning moves from turn to turn. Multiples of the golden ratio are
# spread evenly over the list, however long it is and however far a pass gets.
_STEP = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class CleanUpImages:
    """An image is either removed or found by a request, never both."""

    run: CleanUpPass

    def images(self) -> None:
        """Remove images that no Revision and no record refers to, once their source is gone too.

        The source is as old as the build: its retention is the grace period of the image. So is the
        note that packages are kept for them.
        """
        tags: dict[FunctionId, set[str]] = defaultdict(set)
        # Contexts were the sources of builds before there were lanes.
        for function, build_id in chain(
            self.run.stored_below("sources"), self.run.stored_below("contexts")
        ):
            # The newest build's image is wanted anyway, and most sources are of one.
            if not self.run.records.is_newest_build(function, build_id):
                tags[function].add(build.image_tag(build_id))
        for function, packages in self.run.stored_below("kept"):
            if not self.run.records.has_packages(function, packages):
                tags[function].add(build.packages_tag(packages))
        # A build that was removed with its lambda may have pushed its image after that.
        deleted = {function for function, _ in self.run.stored_below("deleted")}
        records = self.run.records
        gone = sorted(function for function in {*deleted, *tags} if function not in records)
        known = len(records)
        begin = int(self.run.turn * _STEP % 1 * (known + len(gone)))
        for number in beginning_at(begin, range(known + len(gone))):
            self.run.check_time()
            if number >= known:
                self.images_of_gone(gone[number - known])
                continue
            seen = self.run.records[number]
            if seen.function not in self.run.building:
                self._collect_images(seen, tags.get(seen.function, set()))

    @cached_property
    def _in_use(self) -> set[str]:
        """`<namespace>/<name>@<digest>`: the registry in front may have several names."""
        return {
            f"{function}@{_digest(image)}"
            for image in self.run.use.services.images_in_use()
            for function in _owner_of(image)
        }

    def _unused(self, function: FunctionId, digests: set[str]) -> set[str]:
        """Return those that no Revision uses; without any, nothing is asked."""
        return {digest for digest in digests if f"{function}@{digest}" not in self._in_use}

    def images_of_gone(self, function: FunctionId) -> None:
        """Remove all images of a lambda that is gone, once in a pass."""
        if function not in self.run.looked_at and self.run.is_orphan(function):
            self.run.looked_at.add(function)
            _, unwanted = self._digests(function, wanted=set())
            self._remove_images(function, self._unused(function, unwanted))

    def _collect_images(self, seen: SeenRecord, recent: set[str]) -> None:
        function = seen.function
        tags = recent | {build.packages_tag(key) for key in seen.packages}
        if seen.build_id is not None:
            tags.add(build.image_tag(seen.build_id))
        wanted, unwanted = self._digests(function, wanted=tags)
        # Builds that differ can make the same image, which then has a wanted tag beside others.
        garbage = self._unused(function, unwanted - wanted - {_digest(seen.image or "")})
        if self.run.dry_run:
            self.run.counts["images"] += len(garbage)
            return
        if not garbage and not seen.is_collecting:
            return
        # Whoever deploys checks this note, and any request since this pass began makes writing it a
        # conflict: an image is either removed or found by a request, never both.
        record = self._unchanged(seen)
        if record is None:
            return
        noting = record.model_copy(update={"status": _with_note(record, sorted(garbage))})
        try:
            noted = self.run.use.records.replace_status(noting)
        except ConflictError:
            return
        self._remove_images(function, garbage)
        update_status(self.run.use.records, noted, lambda current: _with_note(current, []))

    def _unchanged(self, seen: SeenRecord) -> LambdaFunction | None:
        """Return the record if it is still as this pass saw it; else None."""
        try:
            record = self.run.use.records.get(seen.function)
        except PermanentError:
            return None
        return record if record is not None and record.resource_version == seen.version else None

    def _remove_images(self, function: FunctionId, digests: set[str]) -> None:
        for digest in sorted(digests):
            self.run.counts["images"] += 1
            if not self.run.dry_run:
                self.run.use.registry.delete(self._repository(function), digest)

    def _digests(self, function: FunctionId, *, wanted: set[str]) -> tuple[set[str], set[str]]:
        """Return the images of a lambda: those behind wanted tags, and those behind other tags."""
        repository = self._repository(function)
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for tag in self.run.use.registry.list_tags(repository):
            digest = self.run.use.registry.find(repository, tag)
            if digest is not None:
                found[tag in wanted].add(digest)
        return found[True], found[False]

    def _repository(self, function: FunctionId) -> str:
        return f"{self.run.use.registry_url}/{function.namespace}/{function.name}"


def _with_note(record: LambdaFunction, collecting: list[str]) -> LambdaFunctionStatus:
    return record.status.model_copy(update={"collecting": collecting})


def _owner_of(image: str) -> Iterator[FunctionId]:
    """Yield the lambda of an image `<prefix>/<namespace>/<name>@<digest>`; else nothing."""
    before, *owner = image.partition("@")[0].rsplit("/", 2)
    if before and len(owner) == len(("namespace", "name")):
        yield FunctionId(*owner)


def _digest(image: str) -> str:
    return image.rpartition("@")[2]
