// A function under the framework itself, on loopback.
process.env.NODE_ENV = "production";
const path = require("node:path");
const { createRequire } = require("node:module");

const { FUNCTION_ROOT, FUNCTION_HANDLER, HOST, PORT } = process.env;
const [file, name] = FUNCTION_HANDLER.split(".");
const source = path.join(FUNCTION_ROOT, "source", `${file}.js`);
const requireFromSource = createRequire(source);
const { getRegisteredFunction, http } = requireFromSource("@google-cloud/functions-framework");
const exported = requireFromSource(source);
if (!getRegisteredFunction?.(name) && exported[name]) http(name, exported[name]);
const { getTestServer } = requireFromSource("@google-cloud/functions-framework/testing");
getTestServer(name).listen(PORT, HOST);
