"""A platform to be killed: it starts two lambdas and prints their process ids."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path


async def main(folder: Path) -> None:
    conftest = Path(__file__).parents[1] / "conftest.py"
    specification = importlib.util.spec_from_file_location("serving_conftest", conftest)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    async with module.running(folder) as platform:
        for name in ("one", "two"):
            platform.apply(name)
            await platform.ready(name)
            print(platform.starts(name)[0].split()[0], flush=True)  # noqa: T201  # for its parent
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
