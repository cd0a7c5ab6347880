"use strict";
// Settings of a function's process, which the platform passes in its environment.

const fs = require("node:fs");
const path = require("node:path");
const { StartupError } = require("./errors.js");

const SIGNATURES = ["cloudevent", "http"];

function number(environment, variable, fallback, atLeast) {
  const value = environment[variable] ? Number(environment[variable]) : fallback;
  if (Number.isFinite(value) && value >= atLeast) return value;
  throw new StartupError(
    "InvalidSettings",
    `${variable} is "${environment[variable]}"; it must be a number of at least ${atLeast}`,
  );
}

/** The settings of this process; StartupError names the variable that is wrong. */
function readSettings(environment) {
  const signature = environment.FUNCTION_SIGNATURE || "cloudevent";
  if (!SIGNATURES.includes(signature)) {
    const message = `FUNCTION_SIGNATURE is "${signature}"; it may be cloudevent or http`;
    throw new StartupError("InvalidSettings", message);
  }
  const root = path.resolve(environment.FUNCTION_ROOT || "/function");
  const [name, namespace] = (environment.FUNCTION_NAME || "default/function").split("/").reverse();
  return Object.freeze({
    host: environment.HOST || "0.0.0.0",
    port: number(environment, "PORT", 8080, 0),
    sourceFolder: path.join(fs.existsSync(root) ? fs.realpathSync(root) : root, "source"),
    handler: environment.FUNCTION_HANDLER || "index.handler",
    signature,
    namespace: namespace || "default",
    name: name || "function",
    timeoutSeconds: number(environment, "FUNCTION_TIMEOUT_SECONDS", 60, 0),
    concurrency: number(environment, "FUNCTION_CONCURRENCY", 10, 1),
    maxBodyBytes: number(environment, "FUNCTION_MAX_BODY_BYTES", 6 * 1024 * 1024, 0),
  });
}

module.exports = { SIGNATURES, readSettings };
