"use strict";
// Functions that functions-framework knows as typed: from one value to another, by a format.

const { RejectedRequestError } = require("./errors.js");

/** The handler of `(request, response)` that reads, calls and writes as the format says. */
function typedHandler({ handler, format }) {
  return async (request, response) => {
    const output = await handler(deserialized(format, request));
    await format.serializeResponse(
      {
        setHeader: (name, value) => response.set(name, value),
        write: (data) => response.write(data),
        end: (data) => response.end(data),
      },
      output,
    );
  };
}

function deserialized(format, request) {
  const reader = { body: () => request.body, header: (name) => request.header(name) };
  try {
    return format.deserializeRequest(reader);
  } catch (error) {
    console.error(error);
    const message = "the body is not what the function's format takes";
    throw new RejectedRequestError(400, "InvalidBody", message, "body");
  }
}

module.exports = { typedHandler };
