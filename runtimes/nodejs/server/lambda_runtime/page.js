"use strict";
// The page for people who open the address of a `cloudevent` function in a browser. What a request
// says about its address is used only where it looks like one; all of the page is safe to paste
// into a shell.

const fs = require("node:fs");
const path = require("node:path");

// As in page.py of the Python runtime; one test holds both to the same pages.
const ACCEPTS_HTML = /(?:^|,)\s*text\/html\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i;
const HOST = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;
// The embedded gateway's, which serves each function below a path of its own.
const PREFIX = /^(?:\/[a-z0-9-]{1,63}){2}$/;
const UNKNOWN_ADDRESS = "http://THE-ADDRESS-OF-THIS-PAGE";
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
// The hash is that of the page's <style>, the only thing that it may use.
const POLICY =
  "default-src 'none'; style-src 'sha256-TAsqCibHfs41xyPYvW+mNTiIqtRcDkt6C1aeUs6JUWk='; img-src data:;" +
  " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page, for GET and HEAD of a browser; null for everything else. */
function pageResponse(request, settings) {
  const isReading = request.method === "GET" || request.method === "HEAD";
  if (!isReading || !ACCEPTS_HTML.test(header(request, "accept"))) return null;
  const body = Buffer.from(page(address(request), settings));
  const headers = [
    ["content-type", "text/html; charset=utf-8"],
    ["content-length", String(body.length)],
    ["content-security-policy", POLICY],
    ["x-content-type-options", "nosniff"],
    ["referrer-policy", "no-referrer"],
    ["cache-control", "no-store"],
  ];
  return { status: 200, headers, body };
}

function page(ownAddress, { name, namespace }) {
  const flags = namespace === "default" ? "" : ` -n ${namespace}`;
  const values = { NAME: name, NAMESPACE: namespace, FLAGS: flags, ADDRESS: ownAddress };
  return fs
    .readFileSync(path.join(__dirname, "page.html"), "utf8")
    .replaceAll(/%([A-Z]+)%/g, (_mark, value) =>
      values[value].replaceAll(/[&<>"']/g, (character) => ENTITIES[character]),
    );
}

function address(request) {
  const host = header(request, "host");
  if (!HOST.test(host)) return UNKNOWN_ADDRESS;
  const scheme = header(request, "x-forwarded-proto") === "https" ? "https" : "http";
  const prefix = header(request, "x-forwarded-prefix");
  return `${scheme}://${host}${PREFIX.test(prefix) ? prefix : "/"}`;
}

// Headers of one name, which is one header to be ignored where there may be one only.
function header(request, name) {
  return (request.headersDistinct[name] ?? []).join(", ");
}

module.exports = { pageResponse };
