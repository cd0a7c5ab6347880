"""What a platform prepares on its first start, made once for all homes of a session.

It takes 2 s of processor time, and fifty tests have a home of their own. A platform verifies what
it finds, and makes anew what is not as it would have made it. Homes of demos and of installed
wheels still start with nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from tests.embedded.helpers.running_platform import RunningPlatform

_IMAGE = "image.json"


def prepare_once(folder: Path) -> Path:
    """Return a home that is prepared, below a folder that all test processes share."""
    home = folder / "prepared"
    with (folder / "prepared.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "prepared.complete").exists():
            platform = RunningPlatform(home)
            try:
                platform.start()
            finally:
                platform.close()
            (folder / "prepared.complete").touch()
    return home


def take_prepared(prepared: Path, home: Path) -> Path:
    """Return the home, which has what the other has of runtimes and their base images."""
    home.mkdir(parents=True)
    # Nothing writes to the files of an environment.
    shutil.copytree(prepared / "runtimes", home / "runtimes", symlinks=True, copy_function=_linked)
    shutil.copytree(prepared / "registry", home / "registry")
    return home


def _linked(source: str, target: str) -> None:
    if Path(source).name == _IMAGE:
        # It names the image by its place.
        prepared, home = (str(Path(each).parents[2]) for each in (source, target))
        Path(target).write_text(Path(source).read_text().replace(prepared, home))
    else:
        os.link(source, target)
