"""Which files of a Node.js source ask for packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_builder.runtime_file import read_language

INSTALLER = read_language(
    Path(__file__).parents[3] / "runtimes" / "nodejs" / "runtime.toml"
).installer


@pytest.mark.parametrize(
    ("text", "asking"),
    [
        ('{"name": "f"}', False),
        ('{"dependencies": {}}', False),
        ('{"dependencies": null, "devDependencies": {"x": "1"}}', False),
        ('{"dependencies": {"x": "1"}}', True),
        ('{"dependencies": {}, "optionalDependencies": {"x": "1"}}', True),
        ('{"dependencies": {}, "peerDependencies": {"x": "1"}}', True),
        ('{"peerDependencies" :\n{"x": "1"}}', True),
        ('{"depend\\u0065ncies": {"x": "1"}}', True),
    ],
)
def test_a_package_json_asks_if_npm_would_install_anything(text: str, *, asking: bool) -> None:
    assert (INSTALLER.requests["package.json"].search(text) is not None) == asking
