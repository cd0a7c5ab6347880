"""Node.js functions of `(request, response)`, one per path, and what they are asked."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field

SOURCE = r"""
const body = ({ body, rawBody }) => ({
  body: Buffer.isBuffer(body) ? `bytes ${body.toString("hex")}` : body,
  rawBody: rawBody?.toString("latin1"),
});
const functions = {
  // What a request tells
  body: (request, response) => response.json(body(request)),
  query: (request, response) => response.json(request.query),
  get: (request, response) =>
    response.json([request.get("X-One"), request.header("x-one"), request.header("Referrer")]),
  address: ({ ip, ips, protocol, secure, hostname, subdomains }, response) =>
    response.json({ ip, ips, protocol, secure, hostname, subdomains }),
  url: ({ method, path, url, originalUrl, baseUrl, xhr }, response) =>
    response.json({ method, path, url, originalUrl, baseUrl, xhr }),
  is: (request, response) => response.json([request.is("json"), request.is("text/*", "html")]),
  accepts: (request, response) =>
    response.json([
      request.accepts(["html", "json"]),
      request.acceptsEncodings("gzip", "br"),
      request.acceptsLanguages("de", "en"),
      request.acceptsCharsets("utf-8"),
    ]),
  range: (request, response) => response.json(request.range(1000)),
  fresh: (request, response) => {
    response.set("etag", '"1"');
    response.json([request.fresh, request.stale]);
  },
  // What a response can be told
  text: (_, response) => response.send("text"),
  bytes: (_, response) => response.send(Buffer.from([1, 2])),
  object: (_, response) => response.send({ a: [1] }),
  array: (_, response) => response.send([1]),
  boolean: (_, response) => response.send(true),
  null: (_, response) => response.send(null),
  nothing: (_, response) => response.send(),
  number: (_, response) => response.send(42),
  json: (_, response) => response.json(null),
  jsonp: (_, response) => response.jsonp({ a: 1 }),
  status: (_, response) => response.status(201).send("made"),
  statusEnd: (_, response) => response.status(204).end(),
  sendStatus: (_, response) => response.sendStatus(418),
  redirect: (_, response) => response.redirect("/there?a=\u00fc"),
  moved: (_, response) => response.redirect(301, "https://example.com/"),
  location: (_, response) => response.status(201).location("/new").end(),
  type: (_, response) => response.type("txt").send("<p>"),
  contentType: (_, response) => response.contentType("application/xml").send("<p/>"),
  cookie: (_, response) =>
    response
      .cookie("a", "b c", { httpOnly: true, sameSite: "lax" })
      .cookie("j", { x: 1 })
      .clearCookie("old")
      .end(),
  set: (_, response) =>
    response.set({ "x-a": "1", "x-b": ["2", "3"] }).header("x-c", "4").send(response.get("x-a")),
  append: (_, response) => response.append("x-a", "1").append("x-a", "2").vary("Accept").end(),
  links: (_, response) => response.links({ next: "https://example.com/2" }).end(),
  attachment: (_, response) => response.attachment("caf\u00e9.txt").send("file"),
  format: (_, response) =>
    response.format({ text: () => response.send("t"), json: () => response.json("j") }),
  locals: (_, response) => {
    response.locals.a = 1;
    response.json(response.locals.a);
  },
  sendFile: (_, response) => response.sendFile(require("path").join(__dirname, "page.html")),
  download: (_, response) => response.download(require("path").join(__dirname, "page.html")),
  // Node's own
  plain: (request, response) => {
    response.writeHead(202, "Taken", { "x-a": ["1", "2"] });
    response.write(request.httpVersion);
    response.end("!");
  },
  later: async (_, response) => {
    await new Promise(setImmediate);
    response.send("later");
  },
  throws: () => {
    throw new Error("the secret is 12345");
  },
  rejects: async () => {
    throw new Error("the secret is 12345");
  },
};
exports.handler = (request, response) => functions[request.path.split("/")[1]](request, response);
"""
FILES = {"index.js": SOURCE, "page.html": "<p>page</p>"}


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


def _sent(media_type: str | None, body: bytes, **headers: str) -> Asked:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    typed = {} if media_type is None else {"content-type": media_type}
    return Asked("/body", "POST", body, {**typed, **named})


FORM = "application/x-www-form-urlencoded"
BODIES = {
    "JSON": _sent("application/json", b'{"a": [1, "\xc3\xa9"]}'),
    "JSON of a charset": _sent("application/json; charset=utf-16le", '{"a":1}'.encode("utf-16le")),
    "JSON of a vendor": _sent("application/vnd.api+json", b'{"a": 1}'),
    "JSON of nothing": _sent("application/json", b""),
    "an event": _sent("application/cloudevents+json", b'{"id": "1"}'),
    "text": _sent("text/plain", b"caf\xc3\xa9"),
    "text of a charset": _sent("text/plain; charset=iso-8859-1", b"caf\xe9"),
    "HTML": _sent("text/html", b"<p>"),
    "a form": _sent(FORM, b"a=1&b=x+y%C3%A9"),
    "a form with repeated fields": _sent(FORM, b"a=1&a=2&b[]=3&c[d]=4"),
    "bytes": _sent("application/octet-stream", b"\x00\xff"),
    "no type": _sent(None, b"\x00\xff"),
    "several parts": _sent("multipart/form-data; boundary=x", b"--x\r\n\r\n1\r\n--x--\r\n"),
    "gzip": _sent(
        "application/json",
        gzip.compress(b'{"a": 1}', mtime=0),
        content_encoding="gzip",
    ),
}
REQUESTS = {
    "query": Asked("/query?a=1&b=x%20y"),
    "a repeated query": Asked("/query?a=1&a=2&b=3"),
    "get": Asked("/get", headers={"x-one": "1", "referer": "r"}),
    "address": Asked(
        "/address",
        headers={
            "host": "a.b.example.com:80",
            "x-forwarded-for": "192.0.2.1, 192.0.2.2",
            "x-forwarded-proto": "https",
        },
    ),
    "url": Asked("/url/x%20y?a=1", "PUT", headers={"x-requested-with": "XMLHttpRequest"}),
    "is": Asked("/is", "POST", b"{}", {"content-type": "application/json"}),
    "accepts": Asked(
        "/accepts",
        headers={"accept": "application/json", "accept-encoding": "br", "accept-language": "en"},
    ),
    "range": Asked("/range", headers={"range": "bytes=0-99"}),
    "fresh": Asked("/fresh", headers={"if-none-match": '"1"'}),
    "jsonp": Asked("/jsonp?callback=f"),
    "format": Asked("/format", headers={"accept": "text/plain"}),
    "no format": Asked("/format", headers={"accept": "image/png"}),
    "HEAD": Asked("/text", "HEAD"),
    "OPTIONS": Asked("/text", "OPTIONS"),
}
_SIMPLE = """text bytes object array boolean null nothing json status statusEnd sendStatus redirect
moved location type contentType cookie set append links attachment locals sendFile download plain
later"""
REQUESTS |= {name: Asked(f"/{name}") for name in _SIMPLE.split()}
