const assert = require("node:assert");
const { test } = require("node:test");

const { handler } = require("./index.js");
const event = require("./event.json");

test("it greets whoever the event names", async () => {
  assert.deepEqual(await handler(event), { message: "Hello, Ada!" });
});

test("it greets the world if the event names nobody", async () => {
  assert.deepEqual(await handler({ ...event, data: undefined }), { message: "Hello, World!" });
});
