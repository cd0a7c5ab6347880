"use strict";
// HTTP responses and the bodies of errors.

// A Broker keeps the start of a failed response, in base64 and 1024 bytes.
const MAX_ERROR_BYTES = 512;

/** Write a whole response, unless another one was sent already. */
function send(response, { status, headers, body }) {
  if (response.headersSent) return;
  response.writeHead(status, headers.flat());
  response.end(body);
}

/** `{reason, message, field?}` in at most 512 bytes. */
function errorResponse(status, reason, message, field) {
  const detail = { reason, message: message.slice(0, 300), field: field?.slice(0, 40) };
  let body = Buffer.from(JSON.stringify(detail));
  while (body.length > MAX_ERROR_BYTES) {
    detail.message = detail.message.slice(0, -20);
    body = Buffer.from(JSON.stringify(detail));
  }
  const headers = [["content-type", "application/json"], ["content-length", String(body.length)]];
  if (status === 405) headers.push(["allow", "POST"]);
  return { status, headers, body };
}

/** 500 without details for the caller; the error for the log. */
function failureResponse(subject, error) {
  console.error(`${subject} failed:`);
  console.error(error instanceof Error ? error.stack : error);
  return errorResponse(500, "HandlerFailed", "the function raised an error; see its log");
}

module.exports = { send, errorResponse, failureResponse };
