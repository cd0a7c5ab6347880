"use strict";
// Functions that take `(request, response)`: Express's, with the body read and still to be read.

const { readBody, giveBack } = require("./bodies.js");
const { RejectedRequestError } = require("./errors.js");
const { isApplication } = require("./handlers.js");
const { bodyParser } = require("./parsed_bodies.js");
const { untilClosed } = require("./time.js");

/** Every path and method goes to the handler; the call ends with its response. */
function httpListener(loaded, settings, limiter, { express, isFrameworks }) {
  const isTyped = loaded.signature === "typed";
  const parse = bodyParser(express, settings.maxBodyBytes, isTyped);
  const handler = isTyped ? require("./typed_function.js").typedHandler(loaded) : loaded.handler;
  const serve = expressServer(express, isFrameworks, handler);

  async function handle(request, response, body) {
    const parsed = await parse(request.headers, body).catch(leaveTo(handler));
    giveBack(request, body);
    request.rawBody = parsed.rawBody;
    // Express 5 leaves out what is not there; most functions were written for the {} of 4.
    request.body = parsed.body ?? (isFrameworks ? undefined : {});
    await serve(request, response);
  }

  return async (request, response, call) => {
    const body = await readBody(request, settings.maxBodyBytes, call.signal);
    await limiter.run(call, async () => {
      const closed = untilClosed(request, response);
      await Promise.race([handle(request, response, body), closed]);
      await closed;
    });
    // A body that nobody wants would stay in memory for as long as its connection.
    if (request.readableFlowing === null) request.resume();
  };
}

// An application may read as text or bytes what claims to be JSON, and words its own rejections.
function leaveTo(handler) {
  return (error) => {
    const isTooLarge = error instanceof RejectedRequestError && error.status === 413;
    if (isTooLarge || !isApplication(handler)) throw error;
    return {};
  };
}

// Set up as functions-framework does it; what the handler throws rejects, what it gives to next()
// is handled by Express.
function expressServer(express, isFrameworks, handler) {
  const failures = new WeakMap();
  const application = express();
  application.disable("x-powered-by");
  application.set("etag", false);
  application.enable("trust proxy");
  if (!isFrameworks) application.set("query parser", "extended");
  application.use(async (request, response, next) => {
    // An app of Express 4 inside of one of 5 finds no query but the request's own.
    const query = { value: request.query, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(request, "query", query);
    try {
      await handler(request, response, next);
    } catch (error) {
      failures.get(request)(error);
    }
  });
  return (request, response) =>
    new Promise((_resolve, reject) => {
      failures.set(request, reject);
      application(request, response);
    });
}

module.exports = { httpListener };
