"use strict";
// What can go wrong, told apart by whom it is for.

/** The function cannot be served at all; the process ends before it listens. */
class StartupError extends Error {
  constructor(reason, message) {
    super(`${reason}: ${message}`);
    this.reason = reason;
  }
}

/** The request gets this answer instead of the handler's; safe to show to the caller. */
class RefusedRequestError extends Error {
  constructor(status, reason, message, field) {
    super(message);
    Object.assign(this, { status, reason, field });
  }
}

/** The handler returned what cannot be sent. */
class InvalidReplyError extends Error {}

module.exports = { StartupError, RefusedRequestError, InvalidReplyError };
