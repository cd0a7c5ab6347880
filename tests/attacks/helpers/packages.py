"""Packages that attack whoever installs, packs or starts them."""

from __future__ import annotations

import io
import stat
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.helpers.archives import ZipMember, repeated, tar_member, zip_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Relative to what it runs in; a test looks for it everywhere.
RAN = "ran-while-it-was-installed"
_ESCAPED = "escaped-from-its-archive"
ESCAPES = (_ESCAPED, RAN)
WHEEL = "evil-1.0-py3-none-any.whl"
_INFO = "evil-1.0.dist-info"


@dataclass(frozen=True)
class Attack:
    """A package, and how its build may end: with nothing (installed and harmless), or refused."""

    content: Callable[[str], bytes] = field(repr=False)
    """By the folder that only an attack would write to."""
    reasons: frozenset[str] = frozenset()
    """Of a refusal; empty: the build succeeds."""
    may_succeed: bool = False


def payload(folder: str) -> str:
    return f"open({folder + '/' + RAN!r}, 'a').write('x')\n"


def _wheel(*members: ZipMember) -> bytes:
    ours = (
        ZipMember(name=b"evil/__init__.py", content=b"HARMLESS = 1\n"),
        ZipMember(
            name=f"{_INFO}/METADATA".encode(),
            content=b"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
        ),
        ZipMember(
            name=f"{_INFO}/WHEEL".encode(),
            content=b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
    )
    whole = (*ours, *members)
    record = b"".join(member.name + b",,\n" for member in whole)
    record += f"{_INFO}/RECORD,,\n".encode()
    return zip_bytes(*whole, ZipMember(name=f"{_INFO}/RECORD".encode(), content=record))


# Names that a program would execute which is started beside them, or has them on its path.
STARTERS = (
    "evil.pth", "sitecustomize.py", "usercustomize.py", "lambda_oci/__init__.py",
    "lambda_builder/__init__.py", "knative_lambda/__init__.py", "functions_framework.py",
    "compileall.py", "tarfile.py", "setup.py", "conftest.py", "main.py", "recipe.py",
)  # fmt: skip


def _starters(folder: str) -> bytes:
    code = payload(folder)
    files = dict.fromkeys(STARTERS, code) | {
        # One line: that is what `site` executes of such a file.
        "evil.pth": f"import sys; {code}",
        f"{_INFO}/entry_points.txt": "[console_scripts]\nuv = evil:x\ntar = evil:x\n",
        "evil-1.0.data/scripts/node": f"#!python\n{code}",
        "evil-1.0.data/data/lib/python3/site-packages/late.pth": f"import sys; {code}",
        "evil-1.0.data/purelib/distutils-precedence.pth": f"import sys; {code}",
    }
    return _wheel(
        *(ZipMember(name=name.encode(), content=text.encode()) for name, text in files.items())
    )


def _one(name: str, content: bytes = b"x", mode: int = stat.S_IFREG | 0o644) -> bytes:
    return _wheel(ZipMember(name=name.encode(), content=content, mode=mode))


_UNREADABLE = frozenset({"InvalidPackage", "InvalidRequirements", "PackageInvalid", "BuildFailed"})
_REFUSED = frozenset({"UnsupportedFile"})

WHEELS: dict[str, Attack] = {
    "files that programs execute": Attack(_starters),
    "a name with dots": Attack(
        lambda folder: _one(f"../../../../../../../..{folder}/{_ESCAPED}"), _UNREADABLE, True
    ),
    "an absolute name": Attack(lambda folder: _one(f"{folder}/{_ESCAPED}"), _UNREADABLE, True),
    "data outside": Attack(
        lambda folder: _one(f"evil-1.0.data/data/../../../../../..{folder}/{_ESCAPED}"),
        _UNREADABLE,
        True,
    ),
    "a link out": Attack(
        lambda folder: _one("evil/link", b"/etc/passwd", stat.S_IFLNK | 0o777),
        _REFUSED | _UNREADABLE,
        True,
    ),
    "setuid": Attack(
        lambda folder: _one("evil/su", b"#!/bin/sh\n", stat.S_IFREG | 0o6777), frozenset(), True
    ),
    "a whiteout": Attack(lambda folder: _one(".wh..wh..opq"), _REFUSED),
    "many zeros": Attack(lambda folder: _zeros(), frozenset({"PackagesTooLarge"})),
}

_ZEROS_MB = 64


def _zeros() -> bytes:
    block = bytes(1_000_000)
    packed = repeated(block, _ZEROS_MB, -15)
    return _wheel(ZipMember(name=b"evil/zeros", content=block * _ZEROS_MB, packed=packed))


# --- npm ----------------------------------------------------------------------------------------


def _tarball(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def _npm(*members: tuple[tarfile.TarInfo, bytes], scripts: str = "{}", bins: str = "{}") -> bytes:
    manifest = f'{{"name": "alpha", "version": "1.2.3", "scripts": {scripts}, "bin": {bins}}}'
    return _tarball(
        tar_member("package/package.json", manifest.encode()),
        tar_member("package/index.js", b"module.exports = 1;"),
        *members,
    )


def _scripts(folder: str) -> bytes:
    touch = f'"touch {folder}/{RAN}"'
    names: Sequence[str] = ("preinstall", "install", "postinstall", "prepare", "dependencies")
    scripts = "{" + ", ".join(f'"{name}": {touch}' for name in names) + "}"
    bins = f'{{"node": "index.js", "../../../{_ESCAPED}": "index.js", "x": "../../../x"}}'
    gyp = f"{{'targets': [{{'target_name': '<!(touch {folder}/{RAN})'}}]}}"
    return _npm(tar_member("package/binding.gyp", gyp.encode()), scripts=scripts, bins=bins)


def _link(name: str, target: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return tar_member(name, b"", type=kind, linkname=target)


TARBALLS: dict[str, Attack] = {
    "scripts": Attack(_scripts),
    "names outside": Attack(
        lambda folder: _npm(
            tar_member(f"package/../../../../../../../../..{folder}/{_ESCAPED}"),
            tar_member(f"{folder}/{_ESCAPED}"),
            tar_member(f"package/{folder}/{_ESCAPED}"),
        ),
        _UNREADABLE,
        True,
    ),
    "links, devices and setuid": Attack(
        lambda folder: _npm(
            _link("package/link", "/etc/passwd", tarfile.SYMTYPE),
            _link("package/hard", "/etc/passwd", tarfile.LNKTYPE),
            tar_member("package/null", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
            tar_member("package/pipe", b"", type=tarfile.FIFOTYPE),
            _link("package/folder", folder, tarfile.SYMTYPE),
            tar_member(f"package/folder/{_ESCAPED}"),
            tar_member("package/su", mode=0o6777),
        ),
        _REFUSED | _UNREADABLE,
        True,
    ),
    "a whiteout": Attack(
        lambda folder: _npm(tar_member("package/.wh.index.js")), _REFUSED | _UNREADABLE
    ),
}
