"use strict";
// Finding the handler in the user's source.

const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { StartupError } = require("./errors.js");

const EXTENSIONS = [".js", ".mjs", ".cjs"];
const FRAMEWORK = "@google-cloud/functions-framework";

/** `{handler, signature, framework}`; StartupError says what is missing and what is there. */
async function loadFunction(settings) {
  const dot = settings.handler.lastIndexOf(".");
  const [module, name] = [settings.handler.slice(0, dot), settings.handler.slice(dot + 1)];
  if (dot < 1 || !name) {
    const message = `the handler is "${settings.handler}"; write it as file.function`;
    throw new StartupError("InvalidHandler", message);
  }
  const file = findFile(settings.sourceFolder, module.replaceAll(".", "/"));
  process.chdir(settings.sourceFolder);
  const exported = await importFile(file);
  const framework = loadedFramework(file);
  const registered = framework?.getRegisteredFunction(name);
  if (registered) {
    const { userFunction: handler, signatureType: signature } = registered;
    if (signature === "cloudevent" || signature === "http") return { handler, signature, framework };
    const message = `"${name}" is registered as "${signature}"; use cloudEvent or http`;
    throw new StartupError("UnsupportedSignature", message);
  }
  const handler = exported[name];
  if (typeof handler === "function") return { handler, signature: settings.signature, framework };
  const defined = Object.keys(exported).filter((key) => typeof exported[key] === "function");
  const fileName = path.relative(settings.sourceFolder, file);
  const message = `${fileName} has no function "${name}" (it exports: ${defined.join(", ") || "none"})`;
  throw new StartupError("HandlerNotFound", message);
}

function findFile(folder, module) {
  const base = path.join(folder, module);
  const found = EXTENSIONS.map((extension) => base + extension).find((file) => fs.existsSync(file));
  if (found) return found;
  const files = fs.existsSync(folder) ? fs.readdirSync(folder).slice(0, 20).join(", ") : "";
  const message = `there is no ${module}.js in the source (it holds: ${files || "nothing"})`;
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
function notImportable(error, file) {
  console.error(error instanceof Error ? ownStack(error) : error);
  const detail = String(error?.message ?? error).split("\n")[0];
  const hint =
    error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND"
      ? " (name its package in package.json)"
      : "";
  const where = file ? `${path.basename(file)}: ` : "";
  const message = `${where}${error?.name ?? "Error"}: ${detail}${hint}`;
  return new StartupError("SourceNotImportable", message);
}

// Frames of Node and of this server say nothing of the source, and push out what does.
function ownStack(error) {
  const isForeign = (line) => /^ +at .*(node:|lambda_runtime\/)/.test(line);
  return String(error.stack)
    .split("\n")
    .filter((line) => !isForeign(line))
    .join("\n");
}

function isNamespace(value) {
  return value !== null && (typeof value === "object" || typeof value === "function");
}

// The registry of the framework that the function has loaded itself; never loaded here.
function loadedFramework(file) {
  try {
    const requireFromSource = createRequire(file);
    const main = requireFromSource.resolve(FRAMEWORK);
    const registry = requireFromSource.cache[path.join(path.dirname(main), "function_registry.js")];
    return registry && { ...registry.exports, require: createRequire(main) };
  } catch {
    return undefined;
  }
}

module.exports = { loadFunction, notImportable };
