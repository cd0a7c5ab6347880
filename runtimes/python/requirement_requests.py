"""What the lines of requirements ask for: each is understood and checked, or refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from addresses import Policy, indexes_of
from installer_errors import RecipeError
from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import canonicalize_name
from project_requirements import requirement
from requested_packages import Package, Request, at_address, strong_hashes
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from requirement_lines import Line

_INDEX = re.compile(
    r"(-i|-f|--(?:(?:extra-)?index-url|find-links|no-index|trusted-host|pypi-url))(?![\w-])\s*=?\s*(.*)"
)
_EDITABLE = re.compile(r"(?:-e|--editable)(?![\w-])")
_SOURCES = re.compile(r"--(no-binary|only-binary)(?:\s+|=)(\S+)$")
_REQUIRE_HASHES = "--require-hashes"
# They say how, which is the platform's affair, or nothing that changes what is installed.
_WITHOUT_EFFECT = re.compile(r"--(?:prefer-binary|use-feature|no-require-hashes)(?![\w-])")
_PRERELEASES = "--pre"
_HASH = re.compile(r"\s--hash(?:\s+|=)(\S+)")
_LOCAL = re.compile(
    r"(?:[^\s@]*@\s*)?(?:file:|\.{0,2}/)|[^\s@:;]*/|[^\s@:;]*\.(?:whl|tar\.\w+|zip)$"
)
_LOCAL_PROBLEM = "packages come from the index; put local modules beside the handler"
_BARE_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class _Options:
    def __init__(self) -> None:
        self.for_uv: list[str] = []
        self.require_hashes = False


def request_of_lines(
    lines: Iterable[Line], policy: Policy, environment: Mapping[str, str]
) -> Request:
    """The request of a file of requirements, for an environment of markers."""
    packages: list[Package] = []
    constraints: list[Package] = []
    options = _Options()
    for line in lines:
        if line.text.startswith("-"):
            _read_option(line, policy, options)
        elif package := read_requirement(line.text, line.place, policy, environment):
            (constraints if line.is_constraint else packages).append(package)
    request = Request(
        packages=tuple(packages), constraints=tuple(constraints), options=tuple(options.for_uv)
    )
    if options.require_hashes:
        request.require_hashes()
    return request


def read_requirement(
    text: str, place: str, policy: Policy, environment: Mapping[str, str]
) -> Package | None:
    """A package, from the index or an address that was checked; None if it is not for here."""
    hashes = tuple(_HASH.findall(text))
    text = _HASH.sub("", text).strip()
    if option := re.search(r"\s(--?[a-z][\w-]*)", text):
        raise _invalid(place, f"{shown(option[1])} is not read")
    if "${" in text:
        raise _invalid(place, "environment variables are not replaced")
    if _BARE_ADDRESS.match(text):
        return at_address(text, policy, where=place, hashes=hashes)
    if _LOCAL.match(text):
        raise _invalid(place, _LOCAL_PROBLEM)
    asked = requirement(text, place)
    extras = tuple(sorted(map(canonicalize_name, asked.extras)))
    if asked.url is not None:
        if not applies(asked.marker, environment, place):
            return None
        if asked.url.startswith(("file:", ".", "/")):
            raise _invalid(place, _LOCAL_PROBLEM)
        return at_address(
            asked.url, policy, where=place, name=asked.name, extras=extras, hashes=hashes
        )
    return Package(
        name=canonicalize_name(asked.name), where=place, extras=extras,
        specifier=str(asked.specifier), marker=_written(asked.marker, place),
        hashes=strong_hashes(hashes),
    )  # fmt: skip


def _written(marker: Marker | None, place: str) -> str:
    try:
        return str(marker or "")
    except ValueError as error:
        # Not every value of a marker can be written again.
        raise _invalid(place, shown(str(error))) from None


def applies(marker: Marker | None, environment: Mapping[str, str], place: str) -> bool:
    """Whether a marker is true there."""
    try:
        return marker is None or marker.evaluate(dict(environment))
    except (UndefinedComparison, UndefinedEnvironmentName, RecursionError) as error:
        problem = f"its marker cannot be evaluated: {shown(str(error))}"
        raise _invalid(place, problem) from None


def _read_option(line: Line, policy: Policy, options: _Options) -> None:
    text, place = line.text, line.place
    if index := _INDEX.match(text):
        _check_index(index[1], index[2], place, policy)
    elif _EDITABLE.match(text):
        raise _invalid(place, "an editable package cannot be installed into an image")
    elif sources := _SOURCES.match(text):
        if sources[1] == "no-binary" and sources[2] != ":none:":
            _refuse_source(sources[2], place, policy)
            raise _invalid(place, "wheels are preferred; the option is not read, leave it out")
    elif text == _REQUIRE_HASHES:
        options.require_hashes = True
    elif text == _PRERELEASES:
        options.for_uv += ["--prerelease", "allow"]
    elif not _WITHOUT_EFFECT.match(text):
        raise _invalid(place, f"the option {shown(text.split()[0])} is not read; leave it out")


def _check_index(option: str, value: str, place: str, policy: Policy) -> None:
    try:
        addresses = indexes_of([value])
    except ValueError:
        addresses = ()
    is_one = "index-url" in option or option == "-i"
    # As pip-compile writes them: they change nothing.
    if is_one and addresses and all(map(policy.is_index, addresses)):
        return
    message = (
        f'{place}: "{shown(option)}" is not allowed; the package index is a setting of the platform'
    )
    raise RecipeError("PackageIndexNotAllowed", message)


def _refuse_source(name: str, place: str, policy: Policy) -> None:
    if not policy.allow_source_packages:
        message = (
            f"{place}: {shown(name)} would be built from source; only built packages (wheels) are"
            " installed, because building one runs foreign code. Leave the option out, or have"
            " the platform's operator allow source packages"
        )
        raise RecipeError("SourcePackageRefused", message)


def _invalid(place: str, problem: str) -> RecipeError:
    return RecipeError("InvalidRequirements", f"{place}: {problem}")
