"use strict";
// Functions that take a CloudEvent.

const { readBody } = require("./bodies.js");
const { unpacked } = require("./content_encoding.js");
const { RejectedRequestError } = require("./errors.js");
const { readEvent } = require("./events.js");
const { encodeReply } = require("./replies.js");
const { send } = require("./responses.js");
const { untilClosed } = require("./time.js");

/** Event in; reply event, 204, or an error out. */
function cloudEventListener(handler, settings, limiter) {
  const invoke = handler.length < 2 ? handler : withCallback(handler);

  return async function respond(request, response, call) {
    if (request.method !== "POST") {
      const page = require("./page.js").pageResponse(request, settings);
      if (page !== null) return send(response, page);
      throw new RejectedRequestError(405, "MethodNotAllowed", "send events with POST");
    }
    const packed = await readBody(request, settings.maxBodyBytes, call.signal);
    const body = await unpacked(request.headers, packed, settings.maxBodyBytes);
    const event = readEvent(request.rawHeaders, body);
    // The handler may change its event; the reply is to the one that was received.
    const { data: _data, ...attributes } = event;
    call.subject = `event ${JSON.stringify(event.id)}`;
    await limiter.run(call, async () => {
      send(response, encodeReply(settings, attributes, await invoke(event)));
      await untilClosed(request, response);
    });
  };
}

// functions-framework also takes handlers that end with callback(error, result), and other
// platforms those that expect a context between. A promise ends the call whatever they take.
function withCallback(handler) {
  return (event) =>
    new Promise((resolve, reject) => {
      const callback = (error, result) => (error ? reject(error) : resolve(result));
      const { data: _data, ...context } = event;
      const returned = handler(event, ...(handler.length > 2 ? [context, callback] : [callback]));
      if (typeof returned?.then === "function") resolve(returned);
    });
}

module.exports = { cloudEventListener };
