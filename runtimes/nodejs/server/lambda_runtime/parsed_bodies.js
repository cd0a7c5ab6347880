"use strict";
// `request.body` and `request.rawBody`, as functions-framework makes them.

const { Readable } = require("node:stream");
const { RejectedRequestError } = require("./errors.js");
const { tooLarge } = require("./limits.js");

/**
 * Returns `parse(headers, bytes)`, which gives `{body, rawBody}` or rejects the request. The JSON
 * of typed functions stays text, for their format.
 */
function bodyParser(express, maxBytes, isTyped) {
  const options = {
    limit: maxBytes,
    verify: (copy, _response, body) => {
      copy.rawBody = body;
    },
  };
  // The types and their order are functions-framework's: what no other takes is bytes.
  const parsers = [
    isTyped
      ? express.text({ ...options, type: "application/json" })
      : express.json({ ...options, type: ["application/json", "application/cloudevents+json"] }),
    express.text(options),
    express.urlencoded({ ...options, extended: true }),
    express.raw({ ...options, type: "*/*" }),
  ];

  return async function parse(headers, bytes) {
    // The parsers take a stream to its end, so they get one of their own.
    const copy = Object.assign(Readable.from(bytes.length > 0 ? [bytes] : []), { headers });
    try {
      for (const parser of parsers) {
        // Whichever takes it has it verified.
        if (copy.rawBody === undefined) await run(parser, copy);
      }
    } catch (error) {
      throw rejectionOf(error, maxBytes);
    }
    return copy;
  };
}

function run(middleware, request) {
  return new Promise((resolve, reject) => {
    middleware(request, undefined, (error) => (error ? reject(error) : resolve()));
  });
}

// What the parsers reject is the caller's mistake.
function rejectionOf(error, maxBytes) {
  if (error?.type === "entity.too.large") return tooLarge(maxBytes);
  if (error?.expose !== true) return error;
  const { status, message } = error;
  if (status === 413) return new RejectedRequestError(413, "BodyTooLarge", message, "body");
  if (status === 415) return new RejectedRequestError(415, "InvalidBody", message, "body");
  return new RejectedRequestError(400, "InvalidBody", message, "body");
}

module.exports = { bodyParser };
