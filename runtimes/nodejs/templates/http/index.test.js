const assert = require("node:assert");
const { once } = require("node:events");
const { after, before, test } = require("node:test");

const express = require("express");

const { handler } = require("./index.js");

let server;

before(async () => {
  server = express().use(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
});

after(() => server.close());

async function get(path) {
  const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`);
  assert.equal(response.status, 200);
  return response.json();
}

test("it greets whoever the query names", async () => {
  assert.deepEqual(await get("/?name=Ada"), { message: "Hello, Ada!" });
});

test("it greets the world if the query names nobody", async () => {
  assert.deepEqual(await get("/"), { message: "Hello, World!" });
});
