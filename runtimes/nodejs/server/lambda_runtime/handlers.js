"use strict";
// What can be called as a function. How many parameters it names does not matter in JavaScript.

const { StartupError } = require("./errors.js");

const NAMED = 10;
const GENERATORS = ["GeneratorFunction", "AsyncGeneratorFunction"];

/** StartupError if the handler is missing, or no call of it can ever work. */
function checkHandler({ handler, signature }, name, file, { exported, framework }) {
  if (handler === undefined || handler === null) {
    const functions = Object.keys(exported).filter((key) => typeof exported[key] === "function");
    const others = `it exports: ${functions.slice(0, NAMED).join(", ") || "none"}`;
    const hint = framework ? "; one that is registered goes by the name that it is registered with" : "";
    const message = `${file} has no function "${name}" (${others}${hint})`;
    throw new StartupError("HandlerNotFound", message);
  }
  const subject = `"${name}" of ${file}`;
  if (typeof handler !== "function") {
    const kind = typeof handler === "object" ? nameOfClass(handler) : typeof handler;
    throw new StartupError("HandlerNotCallable", `${subject} is a ${kind}, not a function`);
  }
  const problem = problemOf(handler, signature);
  if (problem) throw new StartupError("InvalidHandler", `${subject} ${problem}`);
}

function nameOfClass(object) {
  return Object.getPrototypeOf(object)?.constructor?.name || "Object";
}

function problemOf(handler, signature) {
  if (signature === "cloudevent" && isApplication(handler)) {
    return "is an app, which takes requests: deploy it with the signature http";
  }
  if (/^class\b/.test(Function.prototype.toString.call(handler))) {
    return "is a class, which is not called but made with new; export a function";
  }
  if (GENERATORS.includes(handler[Symbol.toStringTag])) {
    return "is a generator, of which a call runs nothing; leave out the *";
  }
  return undefined;
}

/** Whether it is an app or a router of Express, which has parsers of its own. */
function isApplication(handler) {
  return ["handle", "use"].every((method) => method in handler);
}

module.exports = { checkHandler, isApplication };
