"use strict";
// From the environment to a listening server.

const http = require("node:http");
const { RefusedRequestError, StartupError } = require("./errors.js");
const { Limiter } = require("./limits.js");
const { errorResponse, failureResponse, send } = require("./responses.js");
const { readSettings } = require("./settings.js");
const { loadFunction, notImportable } = require("./source.js");
const { catchStrayErrors } = require("./stray_errors.js");

// Longer than proxies keep an idle connection, so that they never write into a closed one.
const KEEP_ALIVE_MS = 120_000;
const HEALTH = ["/health/liveness", "/health/readiness"];

/** Serve until SIGTERM; end with status 1 and the reason when there is nothing to serve. */
async function main() {
  let settings;
  let listener;
  // A promise that the source leaves alone fails later, and Node's own words end in no reason.
  process.once("uncaughtException", end);
  process.once("exit", exitedBySource);
  process.once("beforeExit", neverLoaded);
  // As in the image, wherever it runs: in answers of Express's own, others show their stack.
  process.env.NODE_ENV ||= "production";
  try {
    settings = readSettings(process.env);
    listener = listenerOf(await loadFunction(settings), settings);
    // Node tells of a rejected promise when the turn ends: nothing listens before that.
    await new Promise(setImmediate);
  } catch (error) {
    end(error);
  }
  const server = http.createServer((request, response) => answer(listener, request, response));
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
    const refuse = ({ code, message }) => {
      // The platform gives a port that is free.
      const hint = code === "EADDRINUSE" ? " (a source that calls listen() itself takes it)" : "";
      reject(new StartupError("InvalidSettings", `HOST or PORT: ${message}${hint}`));
    };
    try {
      server.once("error", refuse).listen(port, host, () => resolve(server.off("error", refuse)));
    } catch (error) {
      refuse(error);
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

async function answer(listener, request, response) {
  if (HEALTH.includes(request.url.split("?", 1)[0])) {
    send(response, { status: 200, headers: [["content-type", "text/plain"]], body: "OK" });
    return;
  }
  try {
    await listener(request, response);
  } catch (error) {
    const subject = `${request.method} ${JSON.stringify(request.url)}`;
    const refusal =
      error instanceof RefusedRequestError
        ? errorResponse(error.status, error.reason, error.message, error.field)
        : failureResponse(subject, error);
    // The head of another answer may be out: breaking off is all that is left then.
    if (response.headersSent && !response.writableEnded) response.destroy();
    else send(response, refusal);
  }
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
