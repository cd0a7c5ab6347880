"use strict";
// Functions that take `(request, response)`: Express's where the function brings Express along
// with functions-framework, else Node's own with the everyday additions.

const { once } = require("node:events");
const { RefusedRequestError } = require("./errors.js");
const { readBody, tooLarge } = require("./limits.js");

/** Every path and method goes to the handler; the call ends with its response. */
function httpListener(handler, settings, limiter, framework) {
  const serve = framework
    ? expressApplication(framework.require("express"), handler, settings)
    : (request, response) => plain(handler, settings, request, response);
  return (request, response) => limiter.run(() => served(serve, request, response));
}

async function served(serve, request, response) {
  const closed = once(response, "close");
  await Promise.race([serve(request, response), closed]);
  await closed;
}

async function plain(handler, settings, request, response) {
  const url = new URL(request.url, "http://localhost");
  request.rawBody = await readBody(request, settings.maxBodyBytes);
  request.body = parsedBody(request.headers["content-type"] ?? "", request.rawBody);
  request.path = url.pathname;
  request.query = Object.fromEntries(url.searchParams);
  request.get = (name) => request.headers[name.toLowerCase()];
  addShortcuts(response);
  await handler(request, response);
}

function parsedBody(contentType, body) {
  if (/^application\/(?:[\w.]+\+)?json\b/i.test(contentType)) {
    try {
      return body.length > 0 ? JSON.parse(body.toString("utf8")) : {};
    } catch {
      throw new RefusedRequestError(400, "InvalidBody", "the body is no valid JSON", "body");
    }
  }
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    return Object.fromEntries(new URLSearchParams(body.toString("utf8")));
  }
  return contentType.startsWith("text/") ? body.toString("utf8") : body;
}

function addShortcuts(response) {
  response.status = (code) => Object.assign(response, { statusCode: code });
  response.set = (name, value) => response.setHeader(name, value);
  response.json = (value) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(value));
    return response;
  };
  response.send = (body) => {
    if (typeof body === "object" && body !== null && !(body instanceof Uint8Array)) {
      return response.json(body);
    }
    if (!response.hasHeader("content-type") && typeof body === "string") {
      response.setHeader("content-type", "text/html; charset=utf-8");
    }
    response.end(body);
    return response;
  };
  response.sendStatus = (code) => response.status(code).end(String(code));
}

function expressApplication(express, handler, settings) {
  const application = express();
  const options = {
    limit: settings.maxBodyBytes,
    verify: (request, _response, body) => {
      request.rawBody = body;
    },
  };
  application.disable("x-powered-by");
  application.use(express.json({ ...options, type: ["application/json", "application/*+json"] }));
  application.use(express.text({ ...options, type: "text/*" }));
  application.use(express.urlencoded({ ...options, extended: true }));
  application.use(express.raw({ ...options, type: "*/*" }));
  application.use((request, response, next) => {
    Promise.resolve()
      .then(() => handler(request, response))
      .catch(next);
  });
  return (request, response) =>
    new Promise((_resolve, reject) => {
      application(request, response, (error) => reject(refusalOf(error, settings)));
    });
}

// What Express's own readers of bodies refuse is the caller's mistake.
function refusalOf(error, settings) {
  if (error?.type === "entity.too.large") return tooLarge(settings.maxBodyBytes);
  if (error?.expose !== true || !(error.status < 500)) return error;
  return new RefusedRequestError(error.status, "InvalidBody", error.message, "body");
}

module.exports = { httpListener };
