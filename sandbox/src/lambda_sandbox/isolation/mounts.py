"""The file system of a sandbox, as options of bubblewrap."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_sandbox.isolation.launch import View

_BASE = (
    *("--ro-bind", "/", "/"),
    *("--dev", "/dev"),
    *("--proc", "/proc"),
    # What root writes there would change the whole machine.
    *("--ro-bind", "/proc/sys", "/proc/sys"),
    *("--ro-bind-try", "/proc/sysrq-trigger", "/proc/sysrq-trigger"),
)
_MAX_HOPS = 40


def mount_options(hidden: Sequence[Path], view: View) -> list[str]:
    """Return the options that empty the folders `hidden` and mount the view's places in them.

    `hidden` are real folders, none below another.
    """
    options = list(_BASE)
    for folder in hidden:
        options += ["--tmpfs", str(folder)]
    shown: dict[Path, list[str]] = {}
    for kind, places in (("--bind", view.writable), ("--ro-bind", view.readable)):
        for place in places:
            for name, option in _shown(place, kind).items():
                if option[0] == "--bind" or _is_below(name, hidden):
                    shown.setdefault(name, option)
    for name in sorted(shown, key=lambda each: len(each.parts)):
        if _is_around(name, hidden) or _is_there(name, shown):
            continue
        options += shown[name]
    return options


def follow(path: Path) -> tuple[dict[Path, str], Path]:
    """Return the symbolic links along a path, and the place to which they lead."""
    links: dict[Path, str] = {}
    here = Path("/")
    hops = 0
    left = list(reversed(Path(os.path.abspath(path)).parts[1:]))  # noqa: PTH100  # keeps links
    while left:
        step = here / left.pop()
        if step.name == "..":
            here = here.parent
        elif step.is_symlink() and hops < _MAX_HOPS:
            hops += 1
            links[step] = str(step.readlink())
            target = Path(links[step])
            here = Path("/") if target.is_absolute() else here
            left += [part for part in reversed(target.parts) if part != "/"]
        else:
            here = step
    return links, here


def _shown(place: Path, kind: str) -> dict[Path, list[str]]:
    links, real = follow(place)
    shown = {link: ["--symlink", target, str(link)] for link, target in links.items()}
    if real.exists():
        shown[real] = [kind, str(real), str(real)]
    return shown


def _is_below(place: Path, hidden: Iterable[Path]) -> bool:
    return any(folder in place.parents for folder in hidden)


def _is_around(place: Path, hidden: Iterable[Path]) -> bool:
    return any(folder.is_relative_to(place) for folder in hidden)


def _is_there(place: Path, shown: dict[Path, list[str]]) -> bool:
    """Whether a mounted parent folder already shows the place with the same access."""
    around = [parent for parent in place.parents if parent in shown]
    if not around:
        return False
    return shown[place][0] != "--bind" or shown[around[0]][0] == "--bind"
