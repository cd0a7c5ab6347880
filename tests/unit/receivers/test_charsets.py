"""Every charset gives the same text in every language, byte for byte."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from lambda_runtime.charsets import _CODECS, decoded

SERVER = Path(__file__).parents[3] / "runtimes" / "nodejs" / "server"
CHARSETS = sorted({*_CODECS, "utf-8", "ISO-8859-1", "windows_1252", "shift_jis", "", "x"})
BODIES = [bytes([byte]) for byte in range(256)] + [b"ab\x80", b"\xff\xfea\x00", b"\xfe\xff\x00a"]

SCRIPT = """
const { decoded } = require(process.argv[1] + "/lambda_runtime/charsets.js");
const [charsets, bodies] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const read = (charset, body) => {
  const text = decoded(`text/plain; charset=${charset}`, Buffer.from(body, "hex"));
  return typeof text === "string" ? text : null;
};
const all = charsets.map((charset) => bodies.map((body) => read(charset, body)));
console.log(JSON.stringify(all));
"""


@pytest.fixture(scope="module")
def by_node(require_server):
    node = require_server("node", "apt-get install nodejs, version 18 or newer")
    ran = subprocess.run(
        [node, "-e", SCRIPT, str(SERVER)],
        input=json.dumps([CHARSETS, [body.hex() for body in BODIES]]).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return dict(zip(CHARSETS, json.loads(ran.stdout), strict=True))


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_charset_is_the_same_in_every_language(by_node, charset):
    texts = [decoded(f"text/plain; charset={charset}", body) for body in BODIES]

    assert [text if isinstance(text, str) else None for text in texts] == by_node[charset]
