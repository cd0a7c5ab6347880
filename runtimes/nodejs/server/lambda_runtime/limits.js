"use strict";
// The function's limits: body size, and calls at once.

const { RejectedRequestError } = require("./errors.js");
const { withStrayErrors } = require("./stray_errors.js");

/** The rejection of a body over the limit. */
function tooLarge(maxBytes) {
  const message = `the body is larger than the ${maxBytes} bytes that this function takes`;
  return new RejectedRequestError(413, "BodyTooLarge", message);
}

/** Runs at most `concurrency` calls at once; one whose time ends in the queue leaves it. */
class Limiter {
  constructor({ concurrency }) {
    this.free = concurrency;
    this.waiting = new Set();
  }

  async run(call, work) {
    if (this.free > 0) this.free -= 1;
    else await this.#turnOf(call);
    try {
      return await withStrayErrors(work, call);
    } finally {
      const [next] = this.waiting;
      if (next) next();
      else this.free += 1;
    }
  }

  #turnOf({ signal }) {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting.delete(take);
        reject(signal.reason);
      };
      const take = () => {
        this.waiting.delete(take);
        signal.removeEventListener("abort", leave);
        resolve();
      };
      this.waiting.add(take);
      signal.addEventListener("abort", leave);
    });
  }
}

module.exports = { tooLarge, Limiter };
