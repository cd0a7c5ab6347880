"""What to do about a module that is not there."""

from __future__ import annotations

import os

# More than people put there by hand; what a build brings along is not searched.
_MAX_FOLDERS = 200


def way_out(missing: str, source_folder: str) -> str:
    """How to make `import missing` work, for the end of a message."""
    top = missing.partition(".")[0]
    found = find_in_source(source_folder, (f"{top}.py", top))
    package_file = _package_file(source_folder)
    if found is None:
        return f"name its package in {package_file}"
    folder, _, _ = found.rpartition("/")
    if not folder or missing != top:
        return f"{found} of the source has no such module"
    if folder == "src":
        return f"{found} of the source is found where a pyproject.toml lies beside src"
    dotted = found.removesuffix(".py").replace("/", ".")
    return f"{found} of the source is {dotted}; if you mean a package, name it in {package_file}"


def find_in_source(source_folder: str, names: tuple[str, ...]) -> str | None:
    """The path of the first of these names in the source; the shallowest path first."""
    folders = [""]
    for folder in folders:
        for name in names:
            if os.path.exists(f"{source_folder}/{folder}{name}"):  # noqa: PTH110 - costs start time
                return f"{folder}{name}"
        if len(folders) < _MAX_FOLDERS:
            folders += [f"{folder}{name}/" for name in _folders_of(f"{source_folder}/{folder}")]
    return None


def _folders_of(folder: str) -> list[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    return sorted(
        entry.name
        for entry in entries
        if not entry.name.startswith((".", "__")) and entry.is_dir(follow_symlinks=False)
    )


def _package_file(source_folder: str) -> str:
    files = ("requirements.txt", "pyproject.toml")
    there = [name for name in files if os.path.exists(f"{source_folder}/{name}")]  # noqa: PTH110
    return (there or files)[0]
