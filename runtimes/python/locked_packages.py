"""What a lock in the form of pylock.toml asks for, each package with where it would come from."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from addresses import Policy, refuse
from installer_errors import RecipeError
from packaging.markers import InvalidMarker, UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import (
    Package as Locked,
)
from packaging.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockValidationError,
)
from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name
from project_files import tables, text_of
from requested_packages import (
    Package,
    Request,
    at_address,
    repository_package,
    strong_hashes,
)
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.tags import Tag

File: TypeAlias = PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist

_MAX_PACKAGES = 10_000
_MAX_SHORT = 256


def request_of_lock(
    document: Mapping[str, Any],
    file: str,
    policy: Policy,
    environment: Mapping[str, str],
    tags: Sequence[Tag],
) -> Request:
    """The request of a lock, which is complete; `file` is what its author calls it."""
    chosen = chosen_files(document, file, environment, tags)
    packages = [_package(package, source, file, policy) for package, source in chosen]
    return Request(packages=tuple(packages), is_complete=True)


def chosen_files(
    document: Mapping[str, Any], file: str, environment: Mapping[str, str], tags: Sequence[Tag]
) -> list[tuple[Locked, File]]:
    """What a lock installs in an environment of markers and tags, and from which files."""
    _check_lengths(document, file)
    try:
        lock = Pylock.from_dict(document)
        return list(lock.select(environment=dict(environment), tags=list(tags)))  # type: ignore[arg-type] # the names of markers
    except PylockSelectError as error:
        raise RecipeError("RequirementsConflict", f"{file}: {shown(str(error))}") from None
    except (
        PylockValidationError,
        InvalidMarker,
        InvalidSpecifier,
        UndefinedComparison,
        UndefinedEnvironmentName,
        RecursionError,
        ValueError,
    ) as error:
        raise RecipeError("InvalidRequirements", f"{file}: {shown(str(error))}") from None


def _check_lengths(document: Mapping[str, Any], file: str) -> None:
    packages = tables(document.get("packages"), file)
    if len(packages) > _MAX_PACKAGES:
        raise RecipeError("InvalidRequirements", f"{file} has more than {_MAX_PACKAGES} packages")
    for package in packages:
        for field in ("name", "version", "requires-python", "marker"):
            text = package.get(field, "")
            length = len(text_of(package, field, file)) if isinstance(text, str) else 0
            if field != "marker" and length > _MAX_SHORT:
                problem = f"{field} is longer than {_MAX_SHORT} characters"
                raise RecipeError("InvalidRequirements", f"{file}: {problem}")


def _package(
    package: Locked,
    source: File,
    file: str,
    policy: Policy,
) -> Package:
    name = canonicalize_name(package.name)
    if isinstance(source, PackageDirectory):
        _refuse_local(name, file, source.path)
    if isinstance(source, PackageVcs):
        if source.url is None:
            _refuse_local(name, file, source.path or "")
        return repository_package(
            source.url, source.commit_id, policy, where=file, name=name,
            subdirectory=source.subdirectory,
        )  # fmt: skip
    if source.url is None:
        _refuse_local(name, file, source.path or "")
    hashes = _hashes([source])
    if isinstance(source, PackageArchive):
        url = (
            f"{source.url}#subdirectory={source.subdirectory}"
            if source.subdirectory
            else source.url
        )
        return at_address(url, policy, where=file, name=name, hashes=hashes)
    if package.index is not None:
        from_index = policy.is_index(package.index)
    else:
        is_known = policy.is_beside_index(source.url)
        from_index = is_known and (bool(hashes) or policy.is_public(source.url))
    if not from_index:
        return at_address(source.url, policy, where=file, name=name, hashes=hashes)
    # Any file of this version will do that the lock knows.
    known = filter(None, chain(package.wheels or (), (package.sdist,)))
    return Package(
        name=name,
        where=file,
        specifier=f"=={package.version}" if package.version is not None else "",
        hashes=_hashes(known) if hashes else (),
        is_source=isinstance(source, PackageSdist),
    )


def _hashes(files: Any) -> tuple[str, ...]:
    return strong_hashes(
        f"{kind}:{digest}" for file in files for kind, digest in (file.hashes or {}).items()
    )


def _refuse_local(name: str, file: str, path: str) -> NoReturn:
    refuse(
        name,
        file,
        f"it is a local folder or file ({shown(path)}), and packages are installed without the"
        " source. Put its modules beside the handler, or publish it to the index",
    )
