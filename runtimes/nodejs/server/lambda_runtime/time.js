"use strict";
// How long a request may take: waiting for its body and its turn, its call, and its response.

const { RejectedRequestError } = require("./errors.js");

const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_REST_MS = 10_000;

/**
 * What `work()` leads to, or the rejection with 504 when the time of the call is over. Then
 * `call.ended` is true, and `call.signal` makes those give up that still wait for something.
 */
async function withinTime(call, request, timeoutSeconds, work) {
  const giveUp = new AbortController();
  call.signal = giveUp.signal;
  const timer = setTimeout(() => {
    call.ended = true;
    const late = request.complete ? "the function did not finish" : "the body did not come";
    const message = `${late} within ${timeoutSeconds} s`;
    console.error(`${call.subject}: ${message}`);
    giveUp.abort(new RejectedRequestError(504, "FunctionTimeout", message));
  }, Math.min(timeoutSeconds * 1000, MAX_TIMER_MS));
  try {
    return await Promise.race([work(), rejectedBy(call.signal)]);
  } finally {
    clearTimeout(timer);
  }
}

function rejectedBy(signal) {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Resolves when the response is sent, or its connection is closed. */
function untilClosed({ socket }, response) {
  return new Promise((resolve) => {
    const settle = () => {
      response.off("close", settle);
      socket.off("close", settle);
      resolve();
    };
    if (response.writableFinished || socket.destroyed) return resolve();
    response.on("close", settle);
    // Node sends no event to a response that waits for another one on its connection.
    return socket.on("close", settle);
  });
}

/** Close the connection if the rest of a body, or of a response, takes longer than this. */
function limitRest(request, response, timeoutSeconds) {
  const isOver = () => request.complete && response.writableFinished;
  if (isOver()) return;
  const { socket } = request;
  const timer = setTimeout(() => {
    if (!isOver()) socket.destroy();
  }, Math.min(timeoutSeconds * 1000, MAX_REST_MS));
  timer.unref();
}

module.exports = { limitRest, untilClosed, withinTime };
