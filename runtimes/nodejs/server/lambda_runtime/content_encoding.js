"use strict";
// Bodies that come packed (`Content-Encoding`, RFC 9110).

const { RejectedRequestError } = require("./errors.js");
const { tooLarge } = require("./limits.js");

const FIELD = "Content-Encoding";

/** The body as it was before it was packed; never makes more than `maxBytes` of it. */
async function unpacked(headers, body, maxBytes) {
  const header = headers["content-encoding"];
  const encoding = header === undefined ? undefined : encodingOf(header);
  return encoding && body.length > 0 ? inflated(encoding, body, maxBytes) : body;
}

function encodingOf(header) {
  const names = header.split(",").map((name) => name.trim().toLowerCase());
  const packed = names
    .filter((name) => name !== "" && name !== "identity")
    .map((name) => (name === "x-gzip" ? "gzip" : name));
  if (packed.length === 0 || (packed.length === 1 && ["gzip", "deflate"].includes(packed[0]))) {
    return packed[0];
  }
  const message =
    `${packed.join(", ").slice(0, 60)} is not understood; send the body as it is, or as one of ` +
    "gzip and deflate";
  throw new RejectedRequestError(415, "UnsupportedContentEncoding", message, FIELD);
}

function inflated(encoding, body, maxBytes) {
  const zlib = require("node:zlib"); // Only where bodies come packed.
  // Node takes 0 for no limit at all.
  const options = { maxOutputLength: Math.max(maxBytes, 1), info: true };
  return new Promise((resolve, reject) => {
    zlib[formatOf(encoding, body)](body, options, (error, result) => {
      if (error?.code === "ERR_BUFFER_TOO_LARGE") reject(tooLarge(maxBytes));
      else if (error || result.engine.bytesWritten !== body.length) reject(broken(encoding));
      else if (result.buffer.length > maxBytes) reject(tooLarge(maxBytes));
      else resolve(result.buffer);
    });
  });
}

// Deflate is zlib's format by the standard, and bare by custom.
function formatOf(encoding, body) {
  if (encoding === "gzip") return "gunzip";
  const isZlib = body.length > 1 && (body[0] & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
  return isZlib ? "inflate" : "inflateRaw";
}

function broken(encoding) {
  return new RejectedRequestError(400, "InvalidBody", `the body is not whole ${encoding}`, FIELD);
}

module.exports = { unpacked };
