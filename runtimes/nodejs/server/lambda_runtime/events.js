"use strict";
// CloudEvents out of HTTP requests, in binary and structured mode, checked against CloudEvents 1.0.

const {
  checkAttributes,
  checkNumber,
  checkedName,
  checkedValue,
  invalid,
} = require("./attributes.js");
const { decoded, utf8 } = require("./charsets.js");
const { RejectedRequestError } = require("./errors.js");
const portableJson = require("./portable_json.js");

// No groups of four: V8 keeps its place in each, and has no room for millions of them.
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
// Printable ASCII without quotes and percent signs stands for itself.
const PLAIN = /^[ !#$&-~]*$/;
const QUOTED = /^"((?:[^"\\]|\\.)*)"$/;

/**
 * The event of a request, by its raw headers; RejectedRequestError says what is wrong with others.
 *
 * Node's own headers join those that are there twice.
 */
function readEvent(rawHeaders, body) {
  const headers = pairs(rawHeaders);
  const contentType = contentTypeOf(headers);
  if (contentType?.toLowerCase().startsWith("application/cloudevents")) {
    return structured(mediaTypeOf(contentType), body);
  }
  const event = {};
  for (const [header, value] of headers) {
    // What ce-datacontenttype would say is the Content-Type's to say.
    if (!header.startsWith("ce-") || header === "ce-datacontenttype") continue;
    const name = checkedName(header.slice(3));
    if (Object.hasOwn(event, name)) throw invalid(name, `the attribute "${name}" is given twice`);
    event[name] = headerValue(name, value);
  }
  if (event.specversion === undefined) {
    const message = "no CloudEvent: neither ce-specversion nor application/cloudevents+json";
    throw new RejectedRequestError(400, "NotACloudEvent", message, "specversion");
  }
  if (contentType !== undefined) event.datacontenttype = contentType;
  checkAttributes(event);
  return withData(event, typedData(contentType, body));
}

function pairs(rawHeaders) {
  const headers = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.push([rawHeaders[i].toLowerCase(), rawHeaders[i + 1]]);
  }
  return headers;
}

function contentTypeOf(headers) {
  const found = headers.filter(([header]) => header === "content-type");
  if (found.length > 1) throw invalid("datacontenttype", "the Content-Type is given twice");
  return found[0]?.[1];
}

function structured(mediaType, body) {
  if (mediaType !== "application/cloudevents+json") {
    const message = `${mediaType.slice(0, 60)} is not understood; send one event as application/cloudevents+json`;
    throw new RejectedRequestError(415, "UnsupportedEventFormat", message);
  }
  const document = parsedDocument(body);
  const { data, data_base64: encoded } = document;
  const names = Object.keys(document).filter((name) => name !== "data" && name !== "data_base64");
  checkNumber(names.length);
  const event = {};
  for (const name of names) {
    const value = document[name];
    if (value !== null) event[checkedName(name)] = checkedValue(name, value);
  }
  checkAttributes(event);
  if (encoded === undefined || encoded === null) return withData(event, data ?? undefined);
  if (data !== undefined && data !== null) {
    throw invalid("data_base64", "the event has both data and data_base64");
  }
  if (typeof encoded !== "string" || encoded.length % 4 !== 0 || !BASE64.test(encoded)) {
    throw invalid("data_base64", "data_base64 is not valid base64");
  }
  return withData(event, typedData(event.datacontenttype, Buffer.from(encoded, "base64")));
}

function parsedDocument(body) {
  let document;
  try {
    document = portableJson.parsed(body);
  } catch {
    throw new RejectedRequestError(400, "InvalidEvent", "the event is not valid JSON in UTF-8");
  }
  if (document === null || typeof document !== "object" || Array.isArray(document)) {
    throw new RejectedRequestError(400, "InvalidEvent", "the event is not a JSON object");
  }
  return document;
}

function headerValue(name, value) {
  if (PLAIN.test(value)) return value;
  // A lone percent sign is text, as in the SDKs; Node gives the bytes of a header as Latin-1.
  const unquoted = QUOTED.exec(value)?.[1].replaceAll(/\\(.)/g, "$1") ?? value;
  const bytes = unquoted.replaceAll(/%([0-9A-Fa-f]{2})/g, (_escape, digits) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  try {
    return utf8(Buffer.from(bytes, "latin1"));
  } catch {
    throw invalid(name, `the attribute "${name}" is not UTF-8`);
  }
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
      return portableJson.parsed(body);
    } catch {
      if (contentType === undefined) return body;
      throw invalid("data", `the data is not valid JSON, but ${contentType.slice(0, 60)}`);
    }
  }
  return mediaType.startsWith("text/") ? decoded(contentType, body) : body;
}

function withData(event, data) {
  if (data !== undefined) event.data = data;
  return event;
}

module.exports = { readEvent };
