"""The same functions in every language, so that one test states the contract of both runtimes."""

from __future__ import annotations

PYTHON_SOURCE = """
import asyncio
import time
from cloudevents.http import CloudEvent

def describe(event):
    data = event.data
    return {"id": event["id"], "subject": event.get("subject"), "kind": type(data).__name__,
            "data": data.hex() if isinstance(data, bytes) else data}

def own_event(event):
    return CloudEvent({"id": "r1", "source": "/mine", "type": "com.example.mine",
                       "subject": "caf\\u00e9 100%", "lambdafunction": "some/other",
                       "traceparent": event.data.get("trace")}, {"answer": 42})

def passed_on(event):
    return CloudEvent({"id": "r1", "source": "/mine", "type": event["type"],
                       "lambdatarget": event["lambdatarget"]}, {})

def own_empty(event):
    return CloudEvent({"id": "r1", "source": "/mine", "type": "com.example.mine",
                       "subject": "", "dataschema": "", "extension": ""}, {})

def own_text(event):
    return CloudEvent({"id": "r1", "source": "/mine", "type": "com.example.mine",
                       "datacontenttype": "text/csv"}, "a,b")

def nothing(event):
    return None

def raw_bytes(event):
    return b"\\x00\\xff"

def falsy(event):
    return 0

def no_json(event):
    return {"when": object()}

def incomplete_event(event):
    return CloudEvent({"id": "", "source": "/mine", "type": "com.example.mine"})

def fails(event):
    raise RuntimeError("the secret is 12345")

async def slow(event):
    print("begun", flush=True)
    await asyncio.sleep(event.data["seconds"])
    return {"slept": True}

async def times(event):
    begin = time.time()
    await asyncio.sleep(0.2)
    return [begin, time.time()]
"""

NODE_SOURCE = """
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const kind = (data) => data === undefined ? "NoneType" : Buffer.isBuffer(data) ? "bytes"
  : typeof data === "string" ? "str" : Array.isArray(data) ? "list" : "dict";

exports.describe = (event) => ({
  id: event.id, subject: event.subject ?? null, kind: kind(event.data),
  data: Buffer.isBuffer(event.data) ? event.data.toString("hex") : event.data ?? null,
});
exports.own_event = (event) => ({
  specversion: "1.0", id: "r1", source: "/mine", type: "com.example.mine",
  subject: "caf\\u00e9 100%", lambdafunction: "some/other", traceparent: event.data.trace,
  data: { answer: 42 },
});
exports.passed_on = (event) => ({ ...event, id: "r1", source: "/mine" });
exports.own_empty = () => ({
  specversion: "1.0", id: "r1", source: "/mine", type: "com.example.mine",
  subject: "", dataschema: "", extension: "", data: {},
});
exports.own_text = () => ({
  specversion: "1.0", id: "r1", source: "/mine", type: "com.example.mine",
  datacontenttype: "text/csv", data: "a,b",
});
exports.nothing = () => undefined;
exports.raw_bytes = () => Buffer.from([0, 255]);
exports.falsy = () => 0;
exports.no_json = () => ({ when: 1n });
exports.incomplete_event = () => ({ specversion: "1.0", id: "", source: "/m", type: "t" });
exports.fails = async () => { throw new Error("the secret is 12345"); };
exports.slow = async (event) => {
  console.log("begun");
  await sleep(event.data.seconds);
  return { slept: true };
};
exports.times = async () => {
  const begin = Date.now() / 1000;
  await sleep(0.2);
  return [begin, Date.now() / 1000];
};
"""
