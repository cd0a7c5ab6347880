from __future__ import annotations

import pytest

from knative_lambda.adapters.hosted_sources import NetworkSources
from knative_lambda.domain.source_hosts import SourceHosts
from tests.helpers.certificate_authority import make_authority
from tests.helpers.git_servers import GIT, serving_git
from tests.integration.sources.helpers.secrets import OneSecret


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return make_authority(tmp_path_factory.mktemp("authority") / "ca", "localhost")


@pytest.fixture
def sources_of(authority):
    """Sources at these hosts, with small bounds."""

    def make(*hosts, **options):
        given = {
            "secrets": OneSecret(),
            "max_bytes": 1_000_000,
            "max_files": 100,
            "certificates": authority.certificate.read_text(),
        }
        return NetworkSources(SourceHosts(hosts), **(given | options))

    return make


@pytest.fixture
def git(require_server, authority, tmp_path):
    require_server(*GIT)
    with serving_git(tmp_path / "git", authority) as server:
        yield server
