"use strict";
// Bodies of requests, in memory and within the function's limit.

const { RejectedRequestError } = require("./errors.js");
const { tooLarge } = require("./limits.js");

/**
 * The whole body, all but taken: `giveBack` returns it to the request's stream, which has not
 * ended. A larger one is rejected with 413, by its declared length where it has one. One that is
 * still to come when `signal` aborts is given up.
 *
 * What is left of that is read and forgotten. Closing the connection would reset it under a sender
 * that is still sending its body, and the sender would never see the response.
 */
async function readBody(request, maxBytes, signal) {
  const { "content-length": length = 0, "transfer-encoding": encoding } = request.headers;
  if (Number(length) > maxBytes) throw tooLarge(maxBytes);
  if (Number(length) === 0 && encoding === undefined) return Buffer.alloc(0);
  // In the turn of its head, listening would end a stream that turns out to be empty.
  await new Promise(setImmediate);
  const chunks = [];
  let size = 0;
  const isWhole = () => {
    // Asking for no more than there is: past the end, the stream would end.
    while (request.readableLength > 0) {
      const chunk = request.read(request.readableLength);
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
    return request.complete;
  };
  try {
    if (!isWhole()) await untilWhole(request, isWhole, signal);
  } catch (error) {
    request.resume();
    throw error;
  }
  return Buffer.concat(chunks);
}

function untilWhole(request, isWhole, signal) {
  return new Promise((resolve, reject) => {
    const settle = (outcome, value) => {
      request.off("readable", onReadable).off("error", onLeft).off("close", onLeft);
      signal.removeEventListener("abort", onLate);
      outcome(value);
    };
    const onReadable = () => {
      try {
        if (isWhole()) settle(resolve);
      } catch (error) {
        settle(reject, error);
      }
    };
    const onLeft = () => {
      const message = "the caller left before the body ended";
      settle(reject, new RejectedRequestError(400, "IncompleteBody", message));
    };
    const onLate = () => settle(reject, signal.reason);
    signal.addEventListener("abort", onLate);
    request.on("readable", onReadable).on("error", onLeft).on("close", onLeft);
  });
}

/** Let the request be read as if nobody had read it before. */
function giveBack(request, body) {
  request.unshift(body);
  // What fetch() and the like ask of a stream before they send it on.
  request[Symbol.for("nodejs.stream.disturbed")] = false;
}

module.exports = { readBody, giveBack };
