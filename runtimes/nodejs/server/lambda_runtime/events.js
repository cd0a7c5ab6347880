"use strict";
// CloudEvents out of HTTP requests, in binary and structured mode, checked against CloudEvents 1.0.

const { RefusedRequestError } = require("./errors.js");

const REQUIRED = ["id", "source", "type"];
const NOT_EMPTY = ["subject", "time", "dataschema", "datacontenttype"];
const NAME = /^[a-z0-9]+$/;
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function invalid(field, message) {
  return new RefusedRequestError(400, "InvalidEvent", message, field);
}

/** The event of a request; RefusedRequestError says what is wrong with others. */
function readEvent(headers, body) {
  const contentType = headers["content-type"];
  if (contentType?.toLowerCase().startsWith("application/cloudevents")) {
    return structured(mediaTypeOf(contentType), body);
  }
  const event = {};
  for (const [header, value] of Object.entries(headers)) {
    if (header.startsWith("ce-")) event[checkedName(header.slice(3))] = headerValue(header, value);
  }
  if (event.specversion === undefined) {
    const message = "no CloudEvent: neither ce-specversion nor application/cloudevents+json";
    throw new RefusedRequestError(400, "NotACloudEvent", message);
  }
  if (contentType !== undefined) event.datacontenttype = contentType;
  checkAttributes(event);
  return withData(event, typedData(contentType, body));
}

function structured(mediaType, body) {
  if (mediaType !== "application/cloudevents+json") {
    const message = `${mediaType.slice(0, 60)} is not understood; send one event as application/cloudevents+json`;
    throw new RefusedRequestError(415, "UnsupportedEventFormat", message);
  }
  const document = parsedDocument(body);
  const { data, data_base64: encoded, ...members } = document;
  const event = {};
  for (const [name, value] of Object.entries(members)) {
    if (value !== null) event[checkedName(name)] = checkedValue(name, value);
  }
  checkAttributes(event);
  if (encoded === undefined || encoded === null) return withData(event, data ?? undefined);
  if (data !== undefined && data !== null) {
    throw invalid("data_base64", "the event has both data and data_base64");
  }
  if (typeof encoded !== "string" || !BASE64.test(encoded)) {
    throw invalid("data_base64", "data_base64 is no valid base64");
  }
  return withData(event, typedData(event.datacontenttype, Buffer.from(encoded, "base64")));
}

function parsedDocument(body) {
  let document;
  try {
    document = JSON.parse(body.toString("utf8"));
  } catch {
    throw new RefusedRequestError(400, "InvalidEvent", "the event is no valid JSON");
  }
  if (document === null || typeof document !== "object" || Array.isArray(document)) {
    throw new RefusedRequestError(400, "InvalidEvent", "the event is no JSON object");
  }
  return document;
}

function checkedName(name) {
  if (NAME.test(name) && name !== "data") return name;
  const shown = name.slice(0, 40);
  throw invalid(name, `"${shown}" is no attribute name: lower-case letters and digits only`);
}

function checkedValue(name, value) {
  const isText = typeof value === "string";
  const mustBeText = name === "specversion" || REQUIRED.includes(name) || NOT_EMPTY.includes(name);
  if (isText || (!mustBeText && (typeof value === "boolean" || Number.isInteger(value)))) {
    return value;
  }
  const shown = JSON.stringify(value).slice(0, 40);
  throw invalid(name, `the attribute "${name}" has the JSON type of ${shown}`);
}

function headerValue(header, value) {
  let text = Buffer.from(value, "latin1").toString("utf8");
  if (text.length > 1 && text.startsWith('"') && text.endsWith('"')) {
    text = text.slice(1, -1).replaceAll(/\\(["\\])/g, "$1");
  }
  try {
    // A lone percent sign is text, as in the SDKs.
    return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, decodeURIComponent);
  } catch {
    throw invalid(header.slice(3), `the attribute "${header.slice(3)}" is not UTF-8`);
  }
}

function checkAttributes(event) {
  if (event.specversion !== "1.0") {
    const found = event.specversion === undefined ? "missing" : `"${event.specversion}"`;
    throw invalid("specversion", `the CloudEvents version is ${found}; it must be 1.0`);
  }
  for (const name of REQUIRED) {
    if (!event[name]) throw invalid(name, `the attribute "${name}" is missing or empty`);
  }
  for (const name of NOT_EMPTY) {
    if (event[name] === "") {
      throw invalid(name, `the attribute "${name}" is empty; leave it out instead`);
    }
  }
  if (event.time !== undefined && !isTime(event.time)) {
    throw invalid("time", 'the attribute "time" is no RFC 3339 time');
  }
}

function isTime(text) {
  // Date knows neither leap seconds nor lower-case letters; RFC 3339 has both. It also rolls
  // February 30 over, so the day must still be the same.
  if (!TIME.test(text)) return false;
  const day = text.slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== day) return false;
  return !Number.isNaN(Date.parse(text.toUpperCase().replace(/:60(?=\.|Z|[+-])/, ":59")));
}

function mediaTypeOf(contentType) {
  return contentType.split(";", 1)[0].trim().toLowerCase();
}

// Data as its content type says: JSON parsed, text decoded, anything else as bytes.
function typedData(contentType, body) {
  if (body.length === 0) return undefined;
  const mediaType = mediaTypeOf(contentType ?? "application/json");
  if (mediaType.endsWith("/json") || mediaType.endsWith("+json")) {
    try {
      return JSON.parse(body.toString("utf8"));
    } catch {
      if (contentType === undefined) return body;
      throw invalid("data", `the data is no valid JSON, but ${contentType.slice(0, 60)}`);
    }
  }
  return mediaType.startsWith("text/") ? body.toString("utf8") : body;
}

function withData(event, data) {
  if (data !== undefined) event.data = data;
  return event;
}

module.exports = { readEvent };
