"use strict";
// Which Express a function gets its requests and responses from.

const { createRequire } = require("node:module");

/** That of the function's framework, else the one that it has loaded itself, else ours. */
function expressFor({ file, framework }) {
  if (framework) return { express: framework.require("express"), isFrameworks: true };
  return { express: loadedBy(file) ?? require("../express/index.js"), isFrameworks: false };
}

// A second Express would cost the start of a function that serves an app of its own.
function loadedBy(file) {
  const requireFromSource = createRequire(file);
  try {
    const { exports } = requireFromSource.cache[requireFromSource.resolve("express")];
    // All parsers are there since 4.17.
    return exports.raw && exports.text ? exports : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { expressFor };
