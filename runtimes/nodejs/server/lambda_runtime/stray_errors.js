"use strict";
// Errors that no promise holds: thrown in a timer or a callback, long after the handler returned.

const { AsyncLocalStorage } = require("node:async_hooks");

const calls = new AsyncLocalStorage();

/**
 * What `call` leads to; a stray error of it rejects, and does not end the process with all calls.
 * `state.ended` says that the call has its response, so that nobody else reports the error.
 */
function withStrayErrors(call, state) {
  return new Promise((resolve, reject) => {
    const fail = (error) => {
      if (state.ended) console.error("an error after the end of its call:", error);
      reject(error);
    };
    calls.run(fail, () => call().then(resolve, reject));
  }).finally(() => {
    state.ended = true;
  });
}

/** Give stray errors to their calls; one of none ends the process, as it always does. */
function catchStrayErrors() {
  process.on("uncaughtException", (error) => {
    const fail = calls.getStore();
    if (fail) return fail(error);
    console.error(error);
    return process.exit(1);
  });
}

module.exports = { catchStrayErrors, withStrayErrors };
