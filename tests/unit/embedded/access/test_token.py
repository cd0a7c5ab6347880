from __future__ import annotations

import stat

import pytest

from lambda_embedded.access.token import read_or_create_token


def test_a_token_is_made_once_for_its_owner_alone(tmp_path):
    file = tmp_path / "token"
    token = read_or_create_token(file)
    assert len(token) >= 32
    assert read_or_create_token(file) == token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_token_that_others_could_read_is_its_owners_alone_again(tmp_path):
    file = tmp_path / "token"
    read_or_create_token(file)
    file.chmod(0o644)
    read_or_create_token(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_token_is_replaced_on_request(tmp_path):
    file = tmp_path / "token"
    assert read_or_create_token(file) != read_or_create_token(file, renew=True)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40, b"two words " * 9, b"x" * 9999])
def test_a_file_without_a_token_gets_one(tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    assert 32 <= len(read_or_create_token(file)) <= 64
