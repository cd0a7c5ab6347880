"""Where a pyproject.toml without a lock says that its packages come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from addresses import Policy, refuse
from installer_errors import RecipeError
from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name
from project_files import table, tables, text_of
from requested_packages import Package, Request, at_address
from requirement_requests import applies, read_requirement
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FILE = "pyproject.toml"


def request_of_project(
    dependencies: Iterable[str],
    document: Mapping[str, Any],
    policy: Policy,
    environment: Mapping[str, str],
) -> Request:
    """The request of the project's dependencies.

    A name that [tool.uv.sources] places elsewhere is never taken from the index instead: there it
    may be another's package.
    """
    settings = table(document, "tool", "uv")
    indexes = _indexes(settings)
    _check_indexes(settings, policy)
    placed = {canonicalize_name(name): place for name, place in table(settings, "sources").items()}
    packages = []
    for text in dependencies:
        package = read_requirement(text, _FILE, policy, environment)
        if package is not None and package.name in placed:
            places = placed[package.name]
            for place in tables(places if isinstance(places, list) else [places], _FILE):
                if _is_for(place, environment):
                    package = _placed(package, place, indexes, policy)
        if package is not None:
            packages.append(package)
    return Request(packages=tuple(packages))


def _placed(
    package: Package, place: Mapping[str, Any], indexes: Mapping[str, str], policy: Policy
) -> Package:
    if url := text_of(place, "url", _FILE):
        subdirectory = text_of(place, "subdirectory", _FILE)
        address = f"{url}#subdirectory={subdirectory}" if subdirectory else url
    elif git := text_of(place, "git", _FILE):
        commit = text_of(place, "rev", _FILE)
        subdirectory = text_of(place, "subdirectory", _FILE)
        address = f"git+{git}@{commit}#subdirectory={subdirectory}"
    elif index := text_of(place, "index", _FILE):
        if policy.is_index(indexes.get(index, "")):
            return package
        refuse(
            package.name,
            _FILE,
            f"[tool.uv.sources] takes it from the index {shown(index)}, which is not that of the"
            " platform",
        )
    else:
        refuse(
            package.name,
            _FILE,
            "[tool.uv.sources] takes it from a local folder or file, and packages are installed"
            " without the source. Put its modules beside the handler, or publish it to the index",
        )
    return at_address(address, policy, where=_FILE, name=package.name, extras=package.extras)


def _is_for(place: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    text = text_of(place, "marker", _FILE)
    try:
        return applies(Marker(text) if text else None, environment, _FILE)
    except InvalidMarker:
        message = f"{_FILE}: {shown(text)!r} is not a marker"
        raise RecipeError("InvalidRequirements", message) from None


def _indexes(settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        text_of(index, "name", _FILE): text_of(index, "url", _FILE)
        for index in tables(settings.get("index"), _FILE)
    }


def _check_indexes(settings: Mapping[str, Any], policy: Policy) -> None:
    of_pip = table(settings, "pip")
    named = [
        text_of(index, "url", _FILE)
        for index in tables(settings.get("index"), _FILE)
        if index.get("explicit") is not True
    ]
    for place in (settings, of_pip):
        for field in ("index-url", "extra-index-url", "find-links"):
            value = place.get(field, [])
            named += [str(each) for each in (value if isinstance(value, list) else [value])]
    if not all(map(policy.is_index, named)):
        message = (
            f"{_FILE}: [tool.uv] names another package index; the package index is a setting of"
            " the platform. Leave it out, or deploy a uv.lock of packages that the platform's"
            " index has"
        )
        raise RecipeError("PackageIndexNotAllowed", message)
