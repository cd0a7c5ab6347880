"use strict";
// Errors, by who has to read them.

/** The function cannot be served at all; the process ends before it listens. */
class StartupError extends Error {
  constructor(reason, message) {
    super(`${reason}: ${message}`);
    this.reason = reason;
  }
}

/** The response in place of the handler's; safe to show to the caller. */
class RejectedRequestError extends Error {
  constructor(status, reason, message, field) {
    super(message);
    Object.assign(this, { status, reason, field });
  }
}

/** The handler returned what cannot be sent. */
class InvalidReplyError extends Error {}

module.exports = { StartupError, RejectedRequestError, InvalidReplyError };
