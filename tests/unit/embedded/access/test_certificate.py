from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest

from lambda_embedded.access.certificate import read_or_create_certificate, server_context


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Let two ends speak in memory."""
    ends = [(ssl.MemoryBIO(), ssl.MemoryBIO()) for _ in range(2)]
    (to_client, to_server), _ = ends
    one = server.wrap_bio(to_server, to_client, server_side=True)
    other = client.wrap_bio(to_client, to_server, server_hostname=name)
    for end in (other, one, other, one):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "::1"])
def test_a_strict_client_that_trusts_the_certificate_takes_it_for_this_machine(tmp_path, name):
    pem = read_or_create_certificate(tmp_path / "api.pem")
    client = ssl.create_default_context(cadata=pem)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    handshake(server_context(tmp_path / "api.pem"), client, name)


def test_nobody_else_trusts_it(tmp_path):
    read_or_create_certificate(tmp_path / "api.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server_context(tmp_path / "api.pem"), ssl.create_default_context(), "127.0.0.1")


def test_it_is_made_once_and_its_key_is_its_owners_alone(tmp_path):
    file = tmp_path / "api.pem"
    assert read_or_create_certificate(file) == read_or_create_certificate(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAA==\n"])
def test_a_file_without_one_gets_one(tmp_path, content):
    file = tmp_path / "api.pem"
    file.write_text(content)
    assert read_or_create_certificate(file).startswith("-----BEGIN CERTIFICATE-----")


def test_one_that_soon_ends_is_made_anew(tmp_path):
    file = tmp_path / "api.pem"
    before = read_or_create_certificate(file)
    later = datetime.now(UTC) + timedelta(days=3300)
    assert read_or_create_certificate(file, now=later) != before
