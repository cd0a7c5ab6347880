"use strict";
// Finding the handler in the user's source.

const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { inspect } = require("node:util");
const { StartupError } = require("./errors.js");
const { checkHandler } = require("./handlers.js");
const { SIGNATURES } = require("./settings.js");

const EXTENSIONS = [".js", ".mjs", ".cjs"];
const FRAMEWORK = "@google-cloud/functions-framework";

/** `{handler, signature, file, framework}`; StartupError says what is missing and what is there. */
async function loadFunction(settings) {
  const dot = settings.handler.lastIndexOf(".");
  const [module, name] = [settings.handler.slice(0, dot), settings.handler.slice(dot + 1)];
  const written = `the handler is "${settings.handler}"; write it as file.function`;
  if (dot < 1 || !name) throw new StartupError("InvalidHandler", written);
  const file = findFile(settings.sourceFolder, module, written);
  process.chdir(settings.sourceFolder);
  const exported = await importFile(file);
  const framework = installedFramework(file);
  const found = registered(framework, name) ?? {
    handler: exported[name] ?? defaultOf(exported, name),
    signature: settings.signature,
  };
  checkHandler(found, name, path.relative(settings.sourceFolder, file), { exported, framework });
  return { ...found, file, framework };
}

// `module.exports = app` and `export default` have no name: they are what is meant where none is said.
function defaultOf(exported, name) {
  return name === "handler" && typeof exported.default === "function" ? exported.default : undefined;
}

function findFile(folder, module, written) {
  // By its path, or dotted as Python's modules are.
  const names = [...new Set([module, module.replaceAll(".", "/")])];
  const bases = names.map((name) => path.join(folder, name));
  if (!bases[0].startsWith(folder + path.sep)) throw new StartupError("InvalidHandler", written);
  const files = bases.flatMap((base) => EXTENSIONS.map((extension) => base + extension));
  const found = files.find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
  if (found) return found;
  const held = fs.existsSync(folder) ? fs.readdirSync(folder).slice(0, 20).join(", ") : "";
  const wanted = names.map((name) => `${name}.js`).join(" or ");
  const message = `there is no ${wanted} in the source (it contains: ${held || "nothing"})`;
  throw new StartupError("HandlerNotFound", message);
}

async function importFile(file) {
  try {
    const module = await import(pathToFileURL(file).href);
    const exportedByDefault = module.default;
    // A CommonJS module is the default export of itself.
    return { ...module, ...(isNamespace(exportedByDefault) ? exportedByDefault : {}) };
  } catch (error) {
    throw notImportable(error, file);
  }
}

/** What the source threw at its start, as the reason to end; the stack goes to stderr at once. */
function notImportable(thrown, file) {
  const isText = typeof thrown === "string";
  const error = thrown instanceof Error ? thrown : new Error(isText ? thrown : inspect(thrown));
  console.error(thrown === error ? ownStack(error) : error.message);
  const lines = String(error.message).split(/[\r\n\u2028\u2029]+/);
  const detail = lines.find((line) => line.trim()) ?? "";
  const where = file ? `${path.basename(file)}: ` : "";
  const message = `${where}${String(error.name)}: ${detail}${hintFor(error.code, detail)}`;
  return new StartupError("SourceNotImportable", message);
}

function hintFor(code, detail) {
  if (code !== "MODULE_NOT_FOUND" && code !== "ERR_MODULE_NOT_FOUND") return "";
  // A file of the source is in no package.
  return /^\D+'(\.{0,2}\/|file:)/.test(detail) ? "" : " (name its package in package.json)";
}

// Frames of Node and of this server say nothing of the source, and push out what does.
function ownStack(error) {
  const isForeign = (line) => /^ +at .*(node:|lambda_runtime\/)/.test(line);
  return String(error.stack ?? error)
    .split("\n")
    .filter((line) => !isForeign(line))
    .join("\n");
}

function isNamespace(value) {
  return value !== null && (typeof value === "object" || typeof value === "function");
}

// The framework that the function brings, with its registry if the function has loaded it itself.
function installedFramework(file) {
  const requireFromSource = createRequire(file);
  try {
    const main = requireFromSource.resolve(FRAMEWORK);
    const registry = requireFromSource.cache[path.join(path.dirname(main), "function_registry.js")];
    return { registry: registry?.exports, require: createRequire(main) };
  } catch {
    return undefined;
  }
}

function registered(framework, name) {
  const found = framework?.registry?.getRegisteredFunction(name);
  if (!found) return undefined;
  const { userFunction, signatureType: signature } = found;
  if (signature === "typed") return { ...userFunction, signature };
  if (SIGNATURES.includes(signature)) return { handler: userFunction, signature };
  const message = `"${name}" is registered as "${signature}"; use cloudEvent or http`;
  throw new StartupError("UnsupportedSignature", message);
}

module.exports = { loadFunction, notImportable };
