from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambda_embedded.jobs.machine_environment import machine_environment
from lambda_embedded.jobs.memory_limit import memory_limit_bytes, memory_of_tree
from lambda_embedded.languages import read_languages

RUNTIMES = Path(__file__).parents[4] / "runtimes"
INSTALLERS = [language.installer for language in read_languages(RUNTIMES)]


def limited(memory: object) -> dict:
    return {"resources": {"limits": {"memory": memory}}}


@pytest.mark.parametrize(
    ("quantity", "size"),
    [("64Mi", 64 * 2**20), ("1Gi", 2**30), ("1G", 10**9), ("500k", 500_000), ("1.5Ki", 1536),
     (1000, 1000), ("129e6", 129_000_000), ("1E3", 1000), (".5Ki", 512), ("1500m", 2)],
)  # fmt: skip
def test_a_memory_limit_is_read_as_kubernetes_reads_it(quantity: object, size: int):
    assert memory_limit_bytes(limited(quantity)) == size


@pytest.mark.parametrize("quantity", ["much", "1Zi", "-1Mi", ""])
def test_what_is_no_quantity_is_refused(quantity: str):
    with pytest.raises(ValueError, match=r"resources\.limits\.memory"):
        memory_limit_bytes(limited(quantity))


@pytest.mark.parametrize("container", [{}, {"resources": None}, {"resources": {"limits": None}}])
def test_a_container_may_have_no_limit(container: dict):
    assert memory_limit_bytes(container) is None


def test_memory_is_that_of_the_whole_tree():
    assert memory_of_tree(os.getpid()) > 1_000_000


def test_containers_get_ways_to_the_index_and_no_secrets_of_the_machine(tmp_path: Path):
    (tmp_path / ".npmrc").touch()
    machine = {
        "PATH": "/bin",
        "HOME": str(tmp_path),
        "PIP_FIND_LINKS": "/wheels",
        "PIP_TARGET": "hidden",
        "https_proxy": "http://proxy",
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "KN_LAMBDA_S3_SECRET_ACCESS_KEY": "hidden",
    }
    environment = machine_environment(machine, tmp_path / "cache", INSTALLERS)
    assert "hidden" not in environment.values()
    assert environment["PIP_FIND_LINKS"] == "/wheels"
    assert environment["https_proxy"] == "http://proxy"
    assert environment["PATH"].endswith(":/bin")
    assert environment["npm_config_userconfig"] == str(tmp_path / ".npmrc")
    assert environment["UV_CACHE_DIR"] == str(tmp_path / "cache" / "uv")
    assert "HOME" not in environment
