"use strict";
// From the environment to a listening server.

const http = require("node:http");
const { InvalidReplyError, RejectedRequestError, StartupError } = require("./errors.js");
const { Limiter } = require("./limits.js");
const { errorResponse, failureResponse, send } = require("./responses.js");
const { readSettings } = require("./settings.js");
const { loadFunction, notImportable } = require("./source.js");
const { catchStrayErrors } = require("./stray_errors.js");
const { limitRest, withinTime } = require("./time.js");

// Longer than proxies keep an idle connection, so that they never write into a closed one.
const KEEP_ALIVE_MS = 120_000;
// Room for the attributes that an event may have, percent-encoded, and for what proxies add.
const MAX_HEAD_BYTES = 256 * 1024;
const HEALTH = ["/health/liveness", "/health/readiness"];

/** Serve until SIGTERM; end with status 1 and the reason when there is nothing to serve. */
async function main() {
  let settings;
  let listener;
  // A promise that the source leaves alone fails later, and Node's own words end in no reason.
  process.once("uncaughtException", end);
  process.once("exit", exitedBySource);
  process.once("beforeExit", neverLoaded);
  // As in the image, wherever it runs: in its own responses, Express would show the stack.
  process.env.NODE_ENV ||= "production";
  try {
    settings = readSettings(process.env);
    listener = listenerOf(await loadFunction(settings), settings);
    // Node tells of a rejected promise when the turn ends: nothing listens before that.
    await new Promise(setImmediate);
  } catch (error) {
    end(error);
  }
  const server = http.createServer({ maxHeaderSize: MAX_HEAD_BYTES }, async (request, response) => {
    await respond(listener, request, response, settings);
    limitRest(request, response, settings.timeoutSeconds);
  });
  // Each request has its own time, which may be longer than Node's.
  server.requestTimeout = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 1000;
  await listen(server, settings).catch(end);
  process.off("uncaughtException", end).off("exit", exitedBySource).off("beforeExit", neverLoaded);
  catchStrayErrors();
  drainOnSignal(server, settings);
}

function end(error) {
  // What the source does at the end of its process must not come after the reason.
  process.removeAllListeners("exit");
  console.error((error instanceof StartupError ? error : notImportable(error)).message);
  process.exit(1);
}

function exitedBySource(status) {
  const message = `the source exited with status ${status} at its start`;
  end(new StartupError("SourceNotImportable", message));
}

function neverLoaded() {
  const message = "the source waits at its start for what never comes";
  end(new StartupError("SourceNotImportable", message));
}

function listen(server, { host, port }) {
  return new Promise((resolve, reject) => {
    const fail = ({ code, message }) => {
      // The platform gives a port that is free.
      const hint = code === "EADDRINUSE" ? " (a source that calls listen() itself takes it)" : "";
      reject(new StartupError("InvalidSettings", `HOST or PORT: ${message}${hint}`));
    };
    try {
      server.once("error", fail).listen(port, host, () => resolve(server.off("error", fail)));
    } catch (error) {
      fail(error);
    }
  });
}

function listenerOf(loaded, settings) {
  const limiter = new Limiter(settings);
  if (loaded.signature === "cloudevent") {
    const { cloudEventListener } = require("./cloudevent_function.js");
    return cloudEventListener(loaded.handler, settings, limiter);
  }
  const { expressFor } = require("./express.js");
  const { httpListener } = require("./http_function.js");
  return httpListener(loaded, settings, limiter, expressFor(loaded));
}

async function respond(listener, request, response, { timeoutSeconds }) {
  const { method, url } = request;
  if (HEALTH.includes(url.split("?", 1)[0])) {
    send(response, { status: 200, headers: [["content-type", "text/plain"]], body: "OK" });
    return;
  }
  const call = { subject: `${method} ${JSON.stringify(url)}`, ended: false };
  try {
    await withinTime(call, request, timeoutSeconds, () => listener(request, response, call));
  } catch (error) {
    const rejection = rejectionOf(error, call.subject);
    // Of a response that has begun, only its connection is left to end. What the handler
    // ended in time goes out though it failed then.
    const isOut = call.signal.aborted ? response.writableFinished : response.writableEnded;
    if (response.headersSent && !isOut) request.socket.destroy();
    else send(response, rejection);
  }
}

function rejectionOf(error, subject) {
  if (error instanceof RejectedRequestError) {
    return errorResponse(error.status, error.reason, error.message, error.field);
  }
  if (!(error instanceof InvalidReplyError)) return failureResponse(subject, error);
  console.error(`${subject}: ${error.message}`);
  return errorResponse(500, "InvalidReply", error.message);
}

function drainOnSignal(server, settings) {
  const drain = () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    // Connections that become idle later are of no use either.
    server.on("request", (_request, response) => response.setHeader("connection", "close"));
    setInterval(() => server.closeIdleConnections(), 100).unref();
    setTimeout(() => process.exit(0), (settings.timeoutSeconds + 1) * 1000).unref();
  };
  process.once("SIGTERM", drain);
  process.once("SIGINT", drain);
}

module.exports = { main };
