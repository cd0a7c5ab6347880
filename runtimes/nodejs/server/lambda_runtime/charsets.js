"use strict";
// Bytes to text: strictly, and in the charset that a content type names.
//
// Only charsets that every runtime reads the same, byte for byte: the same function gets the same
// data in any language. What is in another charset stays bytes.

const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]*))/i;
const ISO_8859_PARTS = [2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15];
const WINDOWS_PAGES = [1250, 1251, 1254, 1255, 1256, 1257, 1258];
// For the web, Latin-1 is another name of windows-1252, and Latin-5 of windows-1254.
const WINDOWS_1252 =
  "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f" +
  "\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";
const LATIN_5 = { "\xd0": "\u011e", "\xdd": "\u0130", "\xde": "\u015e", "\xf0": "\u011f", "\xfd": "\u0131", "\xfe": "\u015f" };

const by = (label) => (body) => new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(body);
const latin1 = (body) => body.toString("latin1");

const DECODERS = {
  utf8: by("utf-8"),
  usascii: ascii,
  ascii,
  latin1,
  iso88591: latin1,
  iso88599: (body) => latin1(body).replace(/[\xd0\xdd\xde\xf0\xfd\xfe]/g, (c) => LATIN_5[c]),
  ...Object.fromEntries(ISO_8859_PARTS.map((part) => [`iso8859${part}`, by(`iso-8859-${part}`)])),
  windows1252: (body) =>
    assigned(latin1(body).replace(/[\x80-\x9f]/g, (c) => WINDOWS_1252[c.charCodeAt(0) - 0x80])),
  ...Object.fromEntries(
    WINDOWS_PAGES.map((page) => [`windows${page}`, (body) => assigned(by(`windows-${page}`)(body))]),
  ),
  koi8r: by("koi8-r"),
  koi8u: by("koi8-u"),
  utf16,
  utf16le: by("utf-16le"),
  utf16be: by("utf-16be"),
};

const json = new TextDecoder("utf-8", { fatal: true });
const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text in UTF-8, less its byte order mark; throws TypeError for what is none. */
const withoutMark = (body) => json.decode(body);

/** Text in UTF-8; throws TypeError for what is none. */
const utf8 = (body) => text.decode(body);

/** The text, or the bytes where the charset is unknown or they do not fit it. */
function decoded(contentType, body) {
  const found = CHARSET.exec(contentType);
  const name = (found?.[1] ?? found?.[2] ?? "").trim();
  const key = name === "" ? "utf8" : name.toLowerCase().replaceAll(/[-_]/g, "");
  if (!Object.hasOwn(DECODERS, key)) return body;
  try {
    return DECODERS[key](body);
  } catch {
    return body;
  }
}

function ascii(body) {
  if (body.some((byte) => byte > 0x7f)) throw new TypeError("not ASCII");
  return latin1(body);
}

// Where a Windows page has no character, the web's decoders give a control character.
function assigned(text) {
  if (/[\x80-\x9f]/.test(text)) throw new TypeError("not a character");
  return text;
}

function utf16(body) {
  const isBigEndian = body[0] === 0xfe && body[1] === 0xff;
  return new TextDecoder(isBigEndian ? "utf-16be" : "utf-16le", { fatal: true }).decode(body);
}

module.exports = { decoded, utf8, withoutMark };
