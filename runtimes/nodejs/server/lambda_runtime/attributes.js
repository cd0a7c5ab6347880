"use strict";
// What CloudEvents 1.0 demands of context attributes.

const { RejectedRequestError } = require("./errors.js");

const REQUIRED = ["id", "source", "type"];
// Optional, but not empty where they are given.
const NOT_EMPTY = ["subject", "time", "dataschema", "datacontenttype"];
const STRINGS = ["specversion", ...REQUIRED, ...NOT_EMPTY];
// More than any sender has, and few enough for the heads of HTTP and for every database.
const MAX_NUMBER = 256;
// What CloudEvents has every intermediary forward, were it all of it attributes.
const MAX_BYTES = 64 * 1024;
const NAME = /^[a-z0-9]{1,64}$/;
const CLOCK = "(?:[01]\\d|2[0-3]):[0-5]\\d";
const TIME = new RegExp(
  `^(?!0000)\\d{4}-\\d\\d-\\d\\d[Tt]${CLOCK}:(?:[0-5]\\d|60)(?:\\.\\d+)?(?:[Zz]|[+-]${CLOCK})$`,
);
// Control characters, surrogates and noncharacters are no part of a CloudEvents String.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/u;

// URIs by RFC 3986; spaces and characters beyond ASCII are taken, as Knative takes them.
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const USER = "(?:[^@[\\]\\s]*@)?";
const ADDRESS = "\\[[0-9A-Fa-f:.]+\\]|\\[[vV][0-9A-Fa-f]+\\.[^[\\]\\s]+\\]";
const HOST_NAME = '[^@:[\\]\\s<>"\\\\^`{|}]*';
const AUTHORITY = new RegExp(`^${USER}(?:${ADDRESS}|${HOST_NAME})(?::[0-9]*)?$`);
const END_OF_SEGMENT = /[/?#]/;

/** The rejection of an event for one of its attributes. */
function invalid(field, message) {
  return new RejectedRequestError(400, "InvalidEvent", message, field);
}

/** Reject what is not a CloudEvent 1.0 with 400 and the attribute's name. */
function checkAttributes(event) {
  checkSize(event);
  for (const [name, value] of Object.entries(event)) {
    if (typeof value === "string" && FORBIDDEN.test(value)) {
      throw invalid(name, `the attribute "${name}" is not a string`);
    }
  }
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
  checkTypes(event);
}

/** Reject more attributes than an event may have; before any of them is copied. */
function checkNumber(number) {
  if (number <= MAX_NUMBER) return;
  const message = `the event has ${number} attributes and may have ${MAX_NUMBER}; the rest is data`;
  throw invalid("attributes", message);
}

function checkSize(event) {
  const attributes = Object.entries(event);
  checkNumber(attributes.length);
  let bytes = 0;
  for (const [name, value] of attributes) bytes += name.length + Buffer.byteLength(String(value));
  if (bytes <= MAX_BYTES) return;
  const message = `the attributes have ${bytes} bytes and may have ${MAX_BYTES}; the rest is data`;
  throw invalid("attributes", message);
}

function checkTypes({ source, dataschema, time }) {
  if (!isUriReference(source)) throw invalid("source", 'the attribute "source" is not a URI-reference');
  if (dataschema !== undefined && !(SCHEME.test(dataschema) && isUriReference(dataschema))) {
    throw invalid("dataschema", 'the attribute "dataschema" is not an absolute URI');
  }
  if (time !== undefined && !isTime(time)) {
    throw invalid("time", 'the attribute "time" is not an RFC 3339 time');
  }
}

/** At most 64 lower-case letters and digits. */
function checkedName(name) {
  if (NAME.test(name) && name !== "data") return name;
  const shown = name.slice(0, 40);
  throw invalid(name, `"${shown}" is not an attribute name: 1 to 64 lower-case letters and digits`);
}

/** The value of a JSON document's member; headers cannot get its type wrong. */
function checkedValue(name, value) {
  if (typeof value === "string") return value;
  const isText = STRINGS.includes(name);
  const isInteger = Number.isInteger(value) && (value | 0) === value;
  if (!isText && (typeof value === "boolean" || isInteger)) return value;
  const wanted = isText ? "a string" : "a string, a boolean or a 32-bit integer";
  throw invalid(name, `the attribute "${name}" must be ${wanted}`);
}

function isUriReference(text) {
  if (BAD_ESCAPE.test(text)) return false;
  const scheme = SCHEME.exec(text);
  const rest = scheme ? text.slice(scheme[0].length) : text;
  if (rest.startsWith("//")) return AUTHORITY.test(rest.slice(2).split(END_OF_SEGMENT, 1)[0]);
  // The first segment of a relative reference would look like a scheme.
  return scheme !== null || !rest.split(END_OF_SEGMENT, 1)[0].includes(":");
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

module.exports = { checkAttributes, checkNumber, checkedName, checkedValue, invalid };
