"""A platform to be killed: it starts two lambdas and prints their process ids."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.integration.helpers.serving_platform import running


async def main(folder: Path) -> None:
    async with running(folder) as platform:
        for name in ("one", "two"):
            platform.apply(name)
            await platform.ready(name)
            print(platform.starts(name)[0].split()[0], flush=True)  # noqa: T201  # for its parent
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
