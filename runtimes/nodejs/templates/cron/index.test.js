const assert = require("node:assert");
const { test } = require("node:test");

const { handler } = require("./index.js");
const event = require("./event.json");

test("it writes the report that the schedule names", async (t) => {
  const log = t.mock.method(console, "log", () => {});
  assert.equal(await handler(event), undefined);
  const [line] = log.mock.calls[0].arguments;
  assert.equal(line, "Writing the daily report of 2026-01-15T06:00:00Z");
});
