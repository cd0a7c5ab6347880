"""uv uses the system's certificates where there are any, unless a person has decided otherwise."""

from __future__ import annotations

import pytest
from certificates import with_system_certificates


@pytest.fixture
def store(tmp_path):
    file = tmp_path / "ca-certificates.crt"
    file.touch()
    return str(file)


def test_a_machine_with_a_store_is_trusted(store):
    assert with_system_certificates({"A": "1"}, [store]) == {"A": "1", "UV_SYSTEM_CERTS": "true"}


def test_without_a_store_uv_keeps_its_own_certificates(tmp_path):
    assert with_system_certificates({}, [str(tmp_path / "none")]) == {}


@pytest.mark.parametrize("name", ["UV_SYSTEM_CERTS", "UV_NATIVE_TLS"])
def test_a_persons_variable_wins(store, name):
    assert with_system_certificates({name: "false"}, [store]) == {name: "false"}


@pytest.mark.parametrize("setting", ["system-certs", "native-tls"])
def test_a_persons_settings_file_wins(store, tmp_path, setting):
    named = tmp_path / "named.toml"
    named.write_text(f"{setting} = false\n")
    at_home = tmp_path / ".config" / "uv" / "uv.toml"
    at_home.parent.mkdir(parents=True)
    at_home.write_text(f"{setting} = false\n")
    for environment in ({"UV_CONFIG_FILE": str(named)}, {"HOME": str(tmp_path)}):
        assert with_system_certificates(environment, [store]) == environment


@pytest.mark.parametrize("content", [b"offline = true\n", b"no toml", b"\xff"])
def test_a_settings_file_about_other_things_changes_nothing(store, tmp_path, content):
    file = tmp_path / "uv.toml"
    file.write_bytes(content)
    environment = {"UV_CONFIG_FILE": str(file)}
    assert with_system_certificates(environment, [store])["UV_SYSTEM_CERTS"] == "true"
