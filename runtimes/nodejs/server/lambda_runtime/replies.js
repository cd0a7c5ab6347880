"use strict";
// The response to a request, from what its handler returned.

const { createHash } = require("node:crypto");
const { InvalidReplyError } = require("./errors.js");

const URL_NAMESPACE = Buffer.from("6ba7b8119dad11d180b400c04fd430c8", "hex");
const CARRIED_OVER = ["correlationid", "traceparent"];
// Optional, and no event where they are empty: a Broker would not take it.
const NOT_EMPTY = ["subject", "time", "dataschema"];
const NAME = /^[a-z0-9]+$/;

/** `{status, headers, body}`: 204 for nothing, else one CloudEvent in binary mode. */
function encodeReply(settings, request, result) {
  if (result === undefined || result === null) return { status: 204, headers: [] };
  const { data, data_base64: encoded, datacontenttype, ...attributes } = isCloudEvent(result)
    ? result
    : { ...attributesOfReplyTo(request, settings), data: result };
  for (const extension of CARRIED_OVER) {
    attributes[extension] ??= request[extension];
  }
  // Always ours: the function's own Triggers leave out what carries its name.
  attributes.lambdafunction = `${settings.namespace}/${settings.name}`;
  // A copy of an event that was for this function alone is for whoever subscribes to it.
  if (attributes.lambdatarget === `/${attributes.lambdafunction}`) delete attributes.lambdatarget;
  const content = encoded ? Buffer.from(encoded, "base64") : data;
  return binaryResponse(attributes, datacontenttype, content);
}

function isCloudEvent(result) {
  return typeof result === "object" && "specversion" in result && "type" in result;
}

function attributesOfReplyTo(request, settings) {
  const type = `${request.type}.reply`;
  return {
    specversion: "1.0",
    // Ids are unique per source only, so the source of the request is part of the name.
    id: uuid5(`${request.source}\n${request.id}\n${type}`),
    source: `/namespaces/${settings.namespace}/functions/${settings.name}`,
    type,
  };
}

function uuid5(name) {
  const bytes = createHash("sha1").update(URL_NAMESPACE).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function binaryResponse(attributes, datacontenttype, data) {
  for (const name of ["id", "source", "type"]) {
    if (!attributes[name]) throw new InvalidReplyError(`the returned CloudEvent has no "${name}"`);
  }
  const headers = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (value === "" && NOT_EMPTY.includes(name)) continue;
    if (!NAME.test(name)) {
      throw new InvalidReplyError(`the returned CloudEvent has an invalid attribute "${name}"`);
    }
    headers.push([`ce-${name}`, headerValue(value)]);
  }
  const [body, defaultContentType] = encodeData(datacontenttype, data);
  const contentType = datacontenttype ?? defaultContentType;
  if (contentType !== undefined) headers.push(["content-type", String(contentType)]);
  headers.push(["content-length", String(body.length)]);
  return { status: 200, headers, body };
}

function headerValue(value) {
  const text = value instanceof Date ? value.toISOString() : String(value);
  // Printable ASCII without space, quote and percent is what a header may hold as it is.
  return text.replaceAll(/[^\x21-\x7e]|["%]/gu, percentEncoded);
}

function percentEncoded(character) {
  return [...Buffer.from(character, "utf8")]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}

function encodeData(contentType, data) {
  if (data === undefined || data === null) return [Buffer.alloc(0), undefined];
  if (data instanceof Uint8Array) return [Buffer.from(data), "application/octet-stream"];
  // As the CloudEvents SDKs: text with a content type is the content already.
  if (typeof data === "string" && contentType !== undefined) return [Buffer.from(data), undefined];
  let text;
  try {
    text = JSON.stringify(data);
  } catch (error) {
    throw new InvalidReplyError(`the returned ${typeof data} is not JSON: ${error.message}`);
  }
  if (text === undefined) throw new InvalidReplyError(`a returned ${typeof data} is not JSON`);
  return [Buffer.from(text), "application/json"];
}

module.exports = { encodeReply };
