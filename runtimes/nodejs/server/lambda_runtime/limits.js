"use strict";
// The function's limits: body size, time, and calls at once.

const { RefusedRequestError } = require("./errors.js");
const { withStrayErrors } = require("./stray_errors.js");

/** The refusal of a body over the limit. */
function tooLarge(maxBytes) {
  const message = `the body is larger than the ${maxBytes} bytes that this function takes`;
  return new RefusedRequestError(413, "BodyTooLarge", message);
}

/** Runs at most `concurrency` calls at once; each answers within its time or is refused with 504. */
class Limiter {
  constructor({ concurrency, timeoutSeconds }) {
    this.free = concurrency;
    this.timeoutSeconds = timeoutSeconds;
    this.waiting = [];
  }

  async run(call) {
    let timer;
    const state = { ended: false };
    const timeout = new Promise((_, reject) => {
      timer = setTimeout(() => {
        state.ended = true;
        const message = `the function did not finish within ${this.timeoutSeconds} s`;
        reject(new RefusedRequestError(504, "FunctionTimeout", message));
      }, Math.min(this.timeoutSeconds * 1000, 2 ** 31 - 1));
    });
    try {
      return await Promise.race([this.#callInTurn(call, state), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #callInTurn(call, state) {
    if (this.free > 0) this.free -= 1;
    else await new Promise((resolve) => this.waiting.push(resolve));
    try {
      return state.ended ? undefined : await withStrayErrors(call, state);
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

module.exports = { tooLarge, Limiter };
