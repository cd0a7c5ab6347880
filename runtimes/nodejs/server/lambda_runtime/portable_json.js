"use strict";
// JSON that every language reads as the same value; what only some of them can hold is rejected.

const { withoutMark } = require("./charsets.js");

// Levels of arrays and objects; languages give up at different depths beyond.
const MAX_DEPTH = 512;
// No shorter number is beyond those that a double holds.
const SHORTEST_INFINITY = "2e308".length;
const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d];

/**
 * Reads JSON in UTF-8, with or without a byte order mark; throws for what is none.
 *
 * Numbers beyond a double (1e400) and more than MAX_DEPTH levels are none either.
 */
function parsed(body) {
  checkTokens(body);
  return JSON.parse(withoutMark(body));
}

// Before V8 makes anything of it: it would read 1e400 as Infinity, and any depth.
function checkTokens(body) {
  let depth = 0;
  for (let i = 0; i < body.length; i += 1) {
    const byte = body[i];
    if (byte === QUOTE) {
      i = endOfString(body, i);
    } else if (isDigit(byte)) {
      const end = endOfNumber(body, i);
      checkNumber(body, i, end);
      i = end - 1;
    } else if (isBracket(byte, OPEN)) {
      depth += 1;
      if (depth > MAX_DEPTH) throw new RangeError("too many levels");
    } else if (isBracket(byte, CLOSE)) {
      depth -= 1;
    }
  }
}

function endOfString(body, start) {
  let i = start + 1;
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1;
  return i;
}

function endOfNumber(body, start) {
  let i = start + 1;
  while (i < body.length && isOfNumber(body[i])) i += 1;
  return i;
}

function checkNumber(body, start, end) {
  if (end - start < SHORTEST_INFINITY) return;
  if (Number(body.toString("latin1", start, end)) === Infinity) throw new RangeError("no double");
}

const isDigit = (byte) => byte >= 0x30 && byte <= 0x39;
const isOfNumber = (byte) =>
  isDigit(byte) || byte === 0x2e || byte === 0x2b || byte === 0x2d || (byte | 0x20) === 0x65;
// Brackets differ from braces by one bit.
const isBracket = (byte, brace) => (byte | 0x20) === brace;

module.exports = { parsed };
