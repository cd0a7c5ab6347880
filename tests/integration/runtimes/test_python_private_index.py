"""The password of an index is for the index alone; test_private_indexes.py for more."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.helpers.package_indexes import file_server, python_index
from tests.integration.runtimes.helpers.python_projects import BETA, requirements
from tests.integration.runtimes.helpers.recipe_process import run_recipe

if TYPE_CHECKING:
    from pathlib import Path

USER = "builds"
CANARY = "canary/@:7f3a%"


def test_an_address_that_the_operator_allows_never_gets_the_password(tmp_path: Path) -> None:
    # Another server of the same host: a redirect from there to the index is no way around it.
    with python_index(credential=(USER, CANARY)) as index:
        beside = f"http://{urlsplit(index).netloc}"
        with file_server({f"/{BETA}": f"{beside}/files/{BETA}"}) as server:
            run = run_recipe(
                "python",
                requirements(f"beta @ {server.url}/{BETA}"),
                tmp_path / "run",
                PACKAGE_INDEX_URL=index,
                PACKAGE_INDEX_USERNAME=USER,
                PACKAGE_INDEX_PASSWORD=CANARY,
                PACKAGE_URL_PREFIXES=f'["{server.url}", "{beside}"]',
            )
    assert (run.status, run.reason) == (1, "PackageSourceUnavailable")
    assert "401" in run.message
